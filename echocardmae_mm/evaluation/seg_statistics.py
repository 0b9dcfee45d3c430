"""Overlap and distances between predicted and true structures."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.ndimage import binary_erosion, distance_transform_edt

COUNTS = ('overlap', 'predicted', 'true')
OVERLAPS = ('dice', 'iou')
DISTANCES = ('hd95_px', 'assd_px', 'hd95_mm', 'assd_mm')


class SurfaceDistances(NamedTuple):
    """Distances between two surfaces; NaN if one of the masks is empty.

    Args:
        hd95 (float): Robust Hausdorff distance: the larger of the 95th percentiles of the distances
            in either direction.
        assd (float): Average symmetric surface distance: mean distance from all points of either
            surface to the other surface.
    """

    hd95: float
    assd: float


def surface_distances(
    first: np.ndarray, second: np.ndarray, spacing: tuple[float, float] = (1.0, 1.0)
) -> SurfaceDistances:
    """Distances between the surfaces of two masks.

    The surface of a mask consists of its pixels that share an edge with the outside or with the
    border of the image. HD95 agrees with MONAI; MedPy's ``hd95`` takes the percentile over both
    directions pooled, which is never larger.

    Args:
        first (np.ndarray): bool of shape (H, W).
        second (np.ndarray): bool of shape (H, W).
        spacing (tuple[float, float]): Height and width of a pixel. Defaults to (1, 1), which gives
            distances in pixels.

    Returns:
        SurfaceDistances: In the unit of ``spacing``.

    Example:
        >>> square = np.zeros((20, 20), bool)
        >>> square[5:10, 5:10] = True
        >>> surface_distances(square, np.roll(square, 2, axis=0), spacing=(0.5, 0.5)).hd95
        1.0
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


def overlap_row(predicted: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Overlap of two masks, bool of shape (H, W).

    Returns:
        dict[str, float]: Pixels in ``overlap``, ``predicted`` and ``true``; ``dice`` and ``iou``,
        NaN if both masks are empty.
    """
    overlap = int((predicted & true).sum())
    sizes = int(predicted.sum()), int(true.sum())
    total = sum(sizes)
    return {
        **dict(zip(COUNTS, (overlap, *sizes))),
        'dice': 2 * overlap / total if total else np.nan,
        'iou': overlap / (total - overlap) if total else np.nan,
    }


def distance_row(
    predicted: np.ndarray, true: np.ndarray, spacing: tuple[float, float] | None
) -> dict[str, float]:
    """Distances between the surfaces of two masks, bool of shape (H, W).

    Args:
        predicted (np.ndarray): One mask.
        true (np.ndarray): The other.
        spacing (tuple[float, float], optional): Height and width of a pixel in mm.

    Returns:
        dict[str, float]: ``hd95_px`` and ``assd_px`` in pixels, ``hd95_mm`` and ``assd_mm``; NaN
        if a mask is empty or the spacing unknown.
    """
    in_pixels = surface_distances(predicted, true)
    in_mm = surface_distances(predicted, true, spacing) if spacing else (np.nan, np.nan)
    return dict(zip(DISTANCES, (*in_pixels, *in_mm)))


def seg_statistics(
    table: Mapping[str, np.ndarray],
    structures: Sequence[str],
    rows: np.ndarray,
    prefix: str = '',
) -> dict[str, float]:
    """Statistics of some images.

    Args:
        table (Mapping[str, np.ndarray]): Columns ``<structure>/overlap``, ``/predicted``,
            ``/true``, ``/dice``, ``/iou`` and, if measured, the distances; float64 of shape (n,).
        structures (Sequence[str]): Structures, without the background.
        rows (np.ndarray): Indices of the images, int64.
        prefix (str): Prefix of the columns and of the statistics. Defaults to ''.

    Returns:
        dict[str, float]: For each structure ``<structure>/dice_pooled`` and ``/iou_pooled``, from
        the pixels of all images; ``/dice_mean`` and ``/iou_mean``, means over images; and mean
        distances. Names without a structure are means over structures; for a single structure,
        there are only these.
    """
    each = [_structure_statistics(table, f'{prefix}{structure}/', rows) for structure in structures]
    means = {prefix + name: float(np.mean([s[name] for s in each])) for name in each[0]}
    if len(structures) == 1:
        return means
    return means | {
        f'{prefix}{structure}/{name}': value
        for structure, statistics in zip(structures, each)
        for name, value in statistics.items()
    }


def count_missing(table: Mapping[str, np.ndarray], structures: Sequence[str]) -> dict[str, int]:
    """Count the images in which one of the two masks of a structure is empty.

    Returns:
        dict[str, int]: ``<structure>/false_negatives``, images in which only the true mask contains
        the structure, and ``<structure>/false_positives``, only the predicted mask.
    """
    counts = {}
    for structure in structures:
        predicted, true = (table[f'{structure}/{name}'] > 0 for name in ('predicted', 'true'))
        counts[f'{structure}/false_negatives'] = int((true & ~predicted).sum())
        counts[f'{structure}/false_positives'] = int((predicted & ~true).sum())
    return counts


def structures_of(table: pd.DataFrame) -> list[str]:
    """Structures in a table of predictions, from its columns ``<structure>/true``."""
    names = (name.removesuffix('/true') for name in table if name.endswith('/true'))
    return [name for name in names if '/' not in name]


def _structure_statistics(
    table: Mapping[str, np.ndarray], prefix: str, rows: np.ndarray
) -> dict[str, float]:
    overlap, predicted, true = (table[prefix + name][rows].sum() for name in COUNTS)
    total = predicted + true
    statistics = {
        'dice_pooled': 2 * overlap / total if total else np.nan,
        'iou_pooled': overlap / (total - overlap) if total else np.nan,
    }
    for name in OVERLAPS:
        statistics[f'{name}_mean'] = _mean(table[prefix + name][rows])
    for name in DISTANCES:
        if prefix + name in table:
            statistics[name] = _mean(table[prefix + name][rows])
    return statistics


def _mean(values: np.ndarray) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', RuntimeWarning)  # All values may be NaN.
        return float(np.nanmean(values))
