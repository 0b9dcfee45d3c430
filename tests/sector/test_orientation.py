"""Upright sectors fit, turned ones do not, and a mirrored one is another upright sector."""

import numpy as np
import pytest

from echocardmae_mm.phantom import make_phantom
from echocardmae_mm.sector.detection import moving_hull
from echocardmae_mm.sector.geometry import template_sector
from echocardmae_mm.sector.orientation import upright_overlap


def fan(half_angle, near=0.0, size=160):
    y, x = np.mgrid[:size, :size] - np.array([2, size / 2]).reshape(2, 1, 1)
    radius = np.hypot(x, y)
    inside = np.abs(np.arctan2(x, y)) < np.deg2rad(half_angle)
    return inside & (radius > near) & (radius < 0.97 * size)


@pytest.mark.parametrize('sector', [fan(30), fan(45), fan(40, near=20), template_sector(112, 112)])
def test_upright_and_mirrored_sectors_fit(sector):
    assert upright_overlap(sector) > 0.98
    assert upright_overlap(sector[:, ::-1]) > 0.98


@pytest.mark.parametrize('half_angle', [32, 38, 44])
@pytest.mark.parametrize('quarters', [1, 2, 3])
def test_turned_sectors_do_not_fit(half_angle, quarters):
    assert upright_overlap(np.rot90(fan(half_angle), quarters)) < 0.94


def test_an_empty_mask_is_no_sector():
    assert upright_overlap(np.zeros((50, 60), bool)) == 0


@pytest.mark.parametrize('quarters', [0, 1, 2, 3])
def test_the_moving_hull_of_a_phantom_tells_its_orientation(quarters):
    phantom = make_phantom(3, screen='portable', num_frames=12)
    hull = moving_hull(list(np.rot90(phantom.frames, quarters, axes=(1, 2))))
    assert (upright_overlap(hull) > 0.97) == (quarters == 0)


def test_a_still_image_has_no_hull():
    with pytest.raises(ValueError, match='no moving ultrasound image'):
        moving_hull([np.full((64, 64, 3), 90, np.uint8)] * 4)
