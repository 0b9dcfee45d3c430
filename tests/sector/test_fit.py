"""Fitting a sector: derivatives against finite differences, recovery from holes and noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echocardmae_mm.sector.fit import Sector, _arcs, _edges, fit_sector


def plain_margins(sector, points):
    """How far points lie inside of left edge, right edge, outer and inner arc."""
    across, down = points[:, 0] - sector.x, points[:, 1] - sector.y
    radius = down if sector.flat else np.sqrt((across * np.exp(sector.stretch)) ** 2 + down**2)
    left = across * np.cos(sector.left) - down * np.sin(sector.left)
    right = down * np.sin(sector.right) - across * np.cos(sector.right)
    return np.stack([left, right, sector.depth - radius, radius - sector.near])


def overlap(mask, truth):
    return (mask & truth).sum() / (mask | truth).sum()


@pytest.mark.parametrize('flat', [False, True])
def test_slopes_are_derivatives(flat):
    sector = Sector(50.0, -3.0, -0.7, 0.6, 90.0, 5.0, 0.3, flat)
    step = 1e-6
    for which, (points, normals, slopes) in enumerate((*_edges(sector), *_arcs(sector))):
        assert np.abs(plain_margins(sector, points)[which]).max() < 1e-9
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)
        outside = plain_margins(sector, points + step * normals)[which]
        steepness = -outside / step
        assert (steepness > 0).all()
        for parameter in range(7):
            values = list(sector)
            values[parameter] += step
            moved = plain_margins(Sector(*values), points)[which] / step
            np.testing.assert_allclose(moved / steepness, slopes[:, parameter], atol=1e-3)


def test_margin_of_a_frame():
    sector = Sector(20.0, 2.0, -0.5, 0.8, 30.0, 4.0, 0.2)
    y, x = np.mgrid[:40, :50]
    expected = plain_margins(sector, np.stack([x.ravel(), y.ravel()], axis=1)).min(axis=0)
    np.testing.assert_allclose(sector.margin(40, 50).ravel(), expected, atol=1e-4)


@settings(max_examples=40)
@given(
    x=st.floats(45, 65),
    y=st.floats(-8, 6),
    left=st.floats(-0.85, -0.4),
    right=st.floats(0.4, 0.85),
    depth=st.floats(75, 115),
    near=st.floats(2, 20),
    stretch=st.floats(-0.3, 0.3),
    seed=st.integers(0, 1000),
)
def test_a_sector_is_found_through_holes_and_noise(x, y, left, right, depth, near, stretch, seed):
    truth = Sector(x, y, left, right, depth, near, stretch)
    inside = truth.margin(112, 112) > 0
    rng = np.random.default_rng(seed)
    evidence = np.where(inside, 1.0, -1.0)
    rows, columns = np.mgrid[:112, :112]
    for _ in range(2):
        row, column = rng.uniform(40, 70, 2)
        evidence[(rows - row) ** 2 + (columns - column) ** 2 < 12**2] = -1
    evidence[rng.random(evidence.shape) < 0.1] *= -1
    start = Sector(x + 4, y - 4, left - 0.1, right + 0.05, depth + 8, near + 5)
    found = fit_sector(evidence.astype(np.float32), start)
    assert overlap(found.margin(112, 112) > 0, inside) > 0.93


def test_a_rectangle_is_found_with_flat_ends():
    truth = np.zeros((112, 112), bool)
    truth[10:100, 20:90] = True
    evidence = np.where(truth, 1.0, -1.0).astype(np.float32)
    start = Sector(55.0, -1000.0, -0.038, 0.03, 1095.0, 1015.0, flat=True)
    assert overlap(fit_sector(evidence, start).margin(112, 112) > 0, truth) > 0.97


def test_without_evidence_nothing_moves():
    start = Sector(56.0, 0.0, -0.7, 0.7, 100.0, 5.0)
    found = fit_sector(np.zeros((112, 112), np.float32), start)
    np.testing.assert_allclose(found[:7], start[:7])
