"""Masks of tracings against a plain rasteriser and the drawn ventricle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.draw import polygon2mask

from echocardmae_mm.datasets.tracing import (
    traced_area,
    tracing_mask,
    tracing_outline,
    visible_share,
)

axis = np.array([[50.0, 10, 50, 90]])


def ellipse(half_width: float, top: float = 20, bottom: float = 80) -> np.ndarray:
    y = np.linspace(top, bottom, 22)[1:-1]
    half = half_width * np.sqrt(1 - ((y - (top + bottom) / 2) / ((bottom - top) / 2)) ** 2)
    return np.concatenate([axis, np.stack([50 - half, y, 50 + half, y], 1)])


def test_the_outline_goes_down_one_wall_and_up_the_other():
    tracing = np.array([[0, 0, 0, 9], [1, 2, 3, 2], [0, 5, 4, 5.0]])
    assert tracing_outline(tracing).tolist() == [[1, 2], [0, 5], [4, 5], [3, 2]]


@given(st.floats(5, 35))
def test_mask_and_area_match_the_polygon(half_width):
    tracing = ellipse(half_width)
    mask = tracing_mask(tracing, (112, 112))
    corners = np.rint(tracing_outline(tracing))[:, ::-1]
    assert (mask != polygon2mask((112, 112), corners)).mean() < 0.01
    # Corners are rounded to pixels, by half of one at most on either side.
    assert mask.sum() == pytest.approx(traced_area(tracing), rel=0.05, abs=75)


def test_masks_are_clipped_to_the_frame():
    tracing = ellipse(20)
    tracing[:, [0, 2]] += 50
    mask = tracing_mask(tracing, (112, 112))
    assert mask.shape == (112, 112)
    assert mask[:, :70].sum() == 0 < mask[:, 80:].sum()


@given(st.floats(5, 35), st.floats(-80, 80), st.floats(-80, 80))
def test_visible_share_matches_the_pixels(half_width, right, down):
    tracing = ellipse(half_width) + np.array([right, down, right, down])
    pixels = tracing_mask(tracing, (112, 112)).sum() / traced_area(tracing)
    # Masks round corners to pixels, which thickens narrow ventricles.
    assert visible_share(tracing, (112, 112)) == pytest.approx(
        pixels, abs=0.25 if half_width < 15 else 0.1
    )
