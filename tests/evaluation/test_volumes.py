"""Volumes by disks against bodies whose volume is known, and against the phantoms' truth."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echocardmae_mm.evaluation.volumes import (
    biplane_volume,
    ejection_fraction,
    largest_part,
    long_axis,
    single_plane_volume,
)
from echocardmae_mm.phantom import make_phantom


def ellipse(half_length, half_width, angle=0.0, spacing=(1.0, 1.0), shape=(240, 200)):
    """An ellipse, its long axis turned from the vertical by an angle in degrees."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    y, x = (y - shape[0] / 2) * spacing[0], (x - shape[1] / 2) * spacing[1]
    turn = np.deg2rad(angle)
    along, across = y * np.cos(turn) + x * np.sin(turn), x * np.cos(turn) - y * np.sin(turn)
    return (along / half_length) ** 2 + (across / half_width) ** 2 <= 1


@settings(max_examples=30)
@given(st.floats(50, 90), st.floats(0.3, 0.7), st.floats(-40, 40))
def test_an_ellipsoid_in_any_position(half_length, ratio, angle):
    half_width = ratio * half_length
    mask = ellipse(half_length, half_width, angle)
    expected = 4 / 3 * np.pi * half_length * half_width**2
    assert single_plane_volume(mask) == pytest.approx(expected, rel=0.03)
    axis = long_axis(mask)
    assert axis.length == pytest.approx(2 * half_length, rel=0.02)
    assert axis.apex[0] < axis.base[0]


def test_an_oblique_base_does_not_move_the_axis():
    mask = ellipse(90, 40)
    y, x = np.mgrid[:240, :200]
    cut = mask & (y - 120 < 40 + 0.4 * (x - 100))
    axis = long_axis(cut)
    turn = np.rad2deg(np.arctan2(*(axis.base - axis.apex)[::-1]))
    assert abs(turn) < 3


def test_non_square_pixels_and_millilitres():
    spacing = (0.5, 0.25)
    mask = ellipse(45, 20, 25, spacing, (240, 400))
    expected = 4 / 3 * np.pi * 45 * 20**2 / 1000
    assert single_plane_volume(mask, spacing) == pytest.approx(expected, rel=0.03)


def test_biplane_volume_of_a_triaxial_ellipsoid():
    spacings = ((0.5, 0.5), (0.4, 0.8))
    four = ellipse(40, 22, 10, spacings[0])
    two = ellipse(40, 15, -15, spacings[1])
    expected = 4 / 3 * np.pi * 40 * 22 * 15 / 1000
    assert biplane_volume(four, two, spacings) == pytest.approx(expected, rel=0.03)
    assert biplane_volume(four, np.zeros_like(two), spacings) == 0


def test_specks_are_ignored_and_empty_masks_have_no_volume():
    mask = ellipse(60, 30)
    specks = mask.copy()
    specks[:4, :4] = specks[-6:, -3:] = True
    np.testing.assert_array_equal(largest_part(specks), mask)
    nothing = np.zeros((20, 20), bool)
    assert not largest_part(nothing).any()
    assert single_plane_volume(nothing) == 0
    assert long_axis(nothing) is None
    assert np.isnan(ejection_fraction(0, 0))


def test_true_masks_of_bodies_of_revolution_give_their_ejection_fraction():
    """Must-show of the project: within 2 points in the mean."""
    errors, volumes = [], []
    seed = 0
    while len(errors) < 12:
        seed += 1
        phantom = make_phantom(seed, num_frames=60)
        if phantom.shape_class != 'revolution':
            continue
        found = [
            single_plane_volume(phantom.lv_masks[frame], phantom.spacing)
            for frame in (phantom.ed, phantom.es)
        ]
        errors.append(ejection_fraction(*found) - phantom.ef)
        volumes.append(found[0] / phantom.edv)
    assert np.abs(errors).mean() < 2
    assert np.mean(volumes) == pytest.approx(1, abs=0.05)


def test_the_area_of_a_rotated_mask_is_unchanged():
    mask = ellipse(80, 35).astype(np.uint8)
    turned = cv2.warpAffine(mask, cv2.getRotationMatrix2D((100, 120), 30, 1), (200, 240))
    assert single_plane_volume(turned > 0) == pytest.approx(single_plane_volume(mask > 0), rel=0.03)
