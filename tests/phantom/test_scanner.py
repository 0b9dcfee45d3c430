from dataclasses import replace

import cv2
import numpy as np
import pytest
from scipy import stats

from echocardmae_mm.phantom import make_phantom
from echocardmae_mm.phantom.acquisition import draw_acquisition_settings
from echocardmae_mm.phantom.beam_grid import BeamGrid
from echocardmae_mm.phantom.motion_table import MotionTable
from echocardmae_mm.phantom.scanner import Scanner
from echocardmae_mm.phantom.scatterers import scatterers
from echocardmae_mm.phantom.variants import get_variant

NO_LEAFLETS = np.full((4, 9, 2), -50.0)


@pytest.fixture(scope='module')
def phantom():
    return make_phantom(21, num_frames=70, heart_rate=70.0, quality='Good', ef=60.0)


def homogeneous(phantom):
    """A scanner of the phantom's heart with scatterers of one strength, without noise."""
    rng = np.random.default_rng(0)
    settings = draw_acquisition_settings(rng, get_variant('default'), 'Good')
    settings = replace(settings, noise=-200.0, clutter=-200.0, haze=-200.0)
    settings = replace(settings, shadows=0, edge=0.0, unevenness=0.0, attenuation=0.0)
    heart, grid = phantom.heart, BeamGrid(phantom.heart.view, 104, 160)
    table = MotionTable(grid, heart.heart, heart.pose, heart.contraction)
    return Scanner(table, settings, scatterers(rng), rng)


def test_envelope_of_homogeneous_tissue_is_rayleigh(phantom):
    scanner = homogeneous(phantom)
    power = scanner.envelope_power(0, 0.0, 0.0, 0.0, NO_LEAFLETS)
    local = np.sqrt(power)[10:-10:5, 30:-15:5]
    ratio = local.mean() / local.std()
    assert ratio == pytest.approx(1.913, abs=0.12)
    scale = np.sqrt((local**2).mean() / 2.0)
    assert stats.kstest(local.ravel(), stats.rayleigh(scale=scale).cdf).statistic < 0.05


def test_speckle_moves_with_the_tissue(phantom):
    """Followed along the true motion it stays alike; looked for where it was, it does not."""
    scanner = homogeneous(phantom)
    heart, grid = phantom.heart, scanner.grid
    start, end = phantom.ed, phantom.ed + (phantom.es - phantom.ed) // 2
    images = [
        np.sqrt(
            scanner.envelope_power(
                f, heart.contraction[f], heart.along[f], heart.across[f], NO_LEAFLETS
            )
        )
        for f in (start, end)
    ]
    wall = np.argwhere(phantom.labels[start] == 2)[:, ::-1].astype(float)
    tracked = heart.track(wall, start, end)

    def sample(image, pixels):
        places = grid.indices(heart.view.to_probe(pixels)).astype(np.float32)
        return cv2.remap(image, places[:, :1], places[:, 1:], cv2.INTER_LINEAR)[:, 0]

    moved = np.hypot(*(tracked - wall).T) > 1.5
    reference = sample(images[0], wall[moved])
    followed = np.corrcoef(reference, sample(images[1], tracked[moved]))[0, 1]
    stayed = np.corrcoef(reference, sample(images[1], wall[moved]))[0, 1]
    assert followed > 0.5
    assert followed > stayed + 0.3


def test_tissue_is_equally_bright_at_all_depths(phantom):
    """The point-spread function is evened out, so that only attenuation is left, here none."""
    scanner = homogeneous(phantom)
    power = scanner.envelope_power(0, 0.0, 0.0, 0.0, NO_LEAFLETS)
    by_depth = power[8:-8].mean(axis=0)
    parts = [part.mean() for part in np.array_split(by_depth[15:], 4)]
    assert np.ptp(10.0 * np.log10(parts)) < 2.0


def test_poor_images_have_less_contrast():
    contrast = {}
    for quality in ('Good', 'Poor'):
        values = []
        for seed in range(5):
            made = make_phantom([31, seed], num_frames=8, quality=quality)
            grey, labels = made.frames.mean(axis=-1), made.labels
            values.append(grey[labels == 2].mean() - grey[labels == 1].mean())
        contrast[quality] = np.mean(values)
    assert contrast['Poor'] < 0.75 * contrast['Good']
