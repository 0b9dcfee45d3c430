"""Distances between the surfaces of two masks, on scipy's distance transform."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt


class SurfaceDistances(NamedTuple):
    """How far two surfaces lie from each other; NaN where one of the masks is empty.

    Args:
        hd95 (float): The larger of the two directed 95th percentiles of the distances (robust
            Hausdorff distance).
        assd (float): Mean distance of all points of both surfaces to the other one (average
            symmetric surface distance).
    """

    hd95: float
    assd: float


def surface_distances(
    first: np.ndarray, second: np.ndarray, spacing: tuple[float, float] = (1.0, 1.0)
) -> SurfaceDistances:
    """Compare the surfaces of two masks.

    A mask's surface are its pixels that touch the outside by an edge, those at the border of the
    picture among them. MedPy's ``hd95`` takes the percentile of both directions pooled, which is
    never larger; MONAI's is this one.

    Args:
        first (np.ndarray): bool of shape (H, W).
        second (np.ndarray): bool of shape (H, W).
        spacing (tuple[float, float]): Height and width of a pixel. Defaults to (1, 1), pixels.

    Returns:
        SurfaceDistances: In the unit of ``spacing``.
    """
    if not (first.any() and second.any()):
        return SurfaceDistances(np.nan, np.nan)
    surfaces = [mask & ~binary_erosion(mask) for mask in (first, second)]
    there = distance_transform_edt(~surfaces[1], sampling=spacing)[surfaces[0]]
    back = distance_transform_edt(~surfaces[0], sampling=spacing)[surfaces[1]]
    return SurfaceDistances(
        float(max(np.percentile(there, 95), np.percentile(back, 95))),
        float(np.concatenate([there, back]).mean()),
    )
