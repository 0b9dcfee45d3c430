"""Detected sectors against the phantoms' truth, on unseen machines, and on a real recording."""

import numpy as np
import pydicom.examples
import pytest
from pydicom.pixels import pixel_array

from echocardmae_mm.phantom import SCREENS, VARIANTS, make_phantom
from echocardmae_mm.sector.detection import detect_sector
from echocardmae_mm.sector.fit import Sector

SEED = 7000


def overlap(mask, truth):
    return (mask & truth).sum() / (mask | truth).sum()


def overlaps(variant, screen, seeds):
    found = []
    for seed in seeds:  # about a second
        phantom = make_phantom(seed, variant, screen=screen, num_frames=24, fps=25)
        found.append(overlap(detect_sector(phantom.frames), phantom.sector_mask))
    return found


@pytest.mark.slow
@pytest.mark.parametrize('variant', sorted(VARIANTS))
def test_sector_of_every_variant_and_screen(variant):
    seeds = range(SEED, SEED + 7)
    found = [value for screen in SCREENS for value in overlaps(variant, screen, seeds)]
    assert np.mean(found) >= 0.97
    assert min(found) >= 0.94


def test_real_recording_matches_manual_annotation():
    """The edges were read off an enlarged, brightened picture of pydicom's example."""
    frames = pixel_array(pydicom.examples.get_path('ybr_color'))
    edge = np.arctan(0.922)
    read = Sector(170.0, 9.2, -edge, edge, 191.8, 10.0).margin(240, 320) > 0
    assert overlap(detect_sector(frames), read) > 0.97


@pytest.fixture(scope='module')
def phantom():
    return make_phantom(SEED, screen='whole', num_frames=32)


def test_cavities_and_shadows_are_inside(phantom):
    frames = phantom.frames.copy()
    frames[:, 55:75, 45:65] = 0
    assert overlap(detect_sector(frames), phantom.sector_mask) > 0.95
    assert detect_sector(frames)[55:75, 45:65].all()


def test_overlays_do_not_affect_the_sector(phantom):
    frames = phantom.frames.copy()
    frames[:, -6:] = 90
    frames[:, 2:12, 2:30] = 255
    for index, frame in enumerate(frames):
        frame[98 + index % 5, : 3 * index] = (0, 255, 0)
    assert overlap(detect_sector(frames), phantom.sector_mask) > 0.95


def test_black_frames_are_ignored(phantom):
    frames = np.concatenate([phantom.frames[:8], np.zeros_like(phantom.frames[:8])])
    assert overlap(detect_sector(frames), phantom.sector_mask) > 0.95


def test_a_list_of_frames_works_and_is_not_modified(phantom):
    frames = [frame.copy() for frame in phantom.frames]
    np.testing.assert_array_equal(detect_sector(frames), detect_sector(phantom.frames))
    np.testing.assert_array_equal(frames, phantom.frames)


@pytest.mark.parametrize('kind', ['rectangle', 'trapezoid'])
def test_linear_probes(kind):
    y, x = np.mgrid[:240, :320]
    half = 90 if kind == 'rectangle' else 60 + 0.25 * (y - 20)
    truth = (np.abs(x - 160) <= half) & (y >= 20) & (y < 220)
    noise = np.random.default_rng(0).rayleigh(60, (12, 240, 320, 1)) * truth[..., None]
    frames = np.repeat(noise.clip(0, 255).astype(np.uint8), 3, axis=-1)
    assert overlap(detect_sector(frames), truth) > 0.97


def test_frames_without_ultrasound_raise_with_a_reason(phantom):
    black = np.zeros((8, 112, 112, 3), np.uint8)
    with pytest.raises(ValueError, match='0 of 8 frames are not black'):
        detect_sector(black)
    for height, width in ((2, 4000), (1, 1)):
        with pytest.raises(ValueError, match=f'frames of {width} x {height} pixels are too small'):
            detect_sector(np.full((8, height, width, 3), 255, np.uint8))
    with pytest.raises(ValueError, match='1 of 1 frames'):
        detect_sector(phantom.frames[:1])
    still = np.repeat(phantom.frames[:1], 8, axis=0)
    with pytest.raises(ValueError, match=r'largest moving region covers 0\.0 %'):
        detect_sector(still)
    for index, frame in enumerate(still):
        frame[100, : 10 * index] = 255
    with pytest.raises(ValueError, match='no moving ultrasound image'):
        detect_sector(still)
