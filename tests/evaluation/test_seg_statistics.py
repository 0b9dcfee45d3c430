"""Distances of surfaces against MONAI and against known shapes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance

from echocardmae_mm.evaluation.seg_statistics import surface_distances


def disc(radius, y=30, x=28):
    rows, columns = np.mgrid[:64, :56]
    return np.hypot(rows - y, columns - x) < radius


def of_monai(first, second, spacing):
    pair = [torch.from_numpy(mask[None, None].astype(np.float32)) for mask in (first, second)]
    hausdorff = compute_hausdorff_distance(*pair, percentile=95, spacing=spacing)
    mean = compute_average_surface_distance(*pair, symmetric=True, spacing=spacing)
    return float(hausdorff), float(mean)


@settings(max_examples=40)
@given(
    st.integers(0, 10**6),
    st.tuples(st.floats(3, 20), st.floats(3, 20)),
    st.sampled_from([(1.0, 1.0), (0.3, 0.6)]),
)
def test_agree_with_monai(seed, radii, spacing):
    generator = np.random.default_rng(seed)
    masks = [disc(r, *generator.uniform(22, 36, 2)) for r in radii]
    masks = [mask ^ (generator.random(mask.shape) < 0.01) for mask in masks]
    ours = surface_distances(*masks, spacing)
    assert tuple(ours) == pytest.approx(of_monai(*masks, spacing), rel=1e-4, abs=1e-4)


def test_concentric_disks_differ_by_their_radii():
    distances = surface_distances(disc(20), disc(15))
    assert distances.hd95 == pytest.approx(5, abs=0.8)
    assert distances.assd == pytest.approx(5, abs=0.4)
    in_mm = surface_distances(disc(20), disc(15), (0.5, 0.5))
    assert tuple(in_mm) == pytest.approx((distances.hd95 / 2, distances.assd / 2))


def test_equal_masks_and_empty_ones():
    assert tuple(surface_distances(disc(9), disc(9))) == (0, 0)
    nothing = np.zeros((64, 56), bool)
    for pair in ((nothing, disc(9)), (disc(9), nothing), (nothing, nothing)):
        assert np.isnan(surface_distances(*pair)).all()
