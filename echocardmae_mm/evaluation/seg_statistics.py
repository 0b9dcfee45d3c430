"""Leakage and distance of predicted and true structures, over a table of images."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from echocardmae_mm.evaluation.surface_distance import surface_distances

COUNTS = ('overlap', 'predicted', 'true')
OVERLAPS = ('dice', 'iou')
DISTANCES = ('hd95_px', 'assd_px', 'hd95_mm', 'assd_mm')


def overlap_row(predicted: np.ndarray, true: np.ndarray, prefix: str = '') -> dict[str, float]:
    """How two masks overlap.

    Args:
        predicted (np.ndarray): bool of shape (H, W).
        true (np.ndarray): bool of shape (H, W).
        prefix (str): Stands before the names. Defaults to ''.

    Returns:
        dict[str, float]: Pixels in ``overlap``, ``predicted`` and ``true``; ``dice`` and ``iou``,
        NaN where both masks are empty.
    """
    overlap = int((predicted & true).sum())
    sizes = int(predicted.sum()), int(true.sum())
    total = sum(sizes)
    row = {
        **dict(zip(COUNTS, (overlap, *sizes))),
        'dice': 2 * overlap / total if total else np.nan,
        'iou': overlap / (total - overlap) if total else np.nan,
    }
    return {prefix + name: value for name, value in row.items()}


def distance_row(
    predicted: np.ndarray,
    true: np.ndarray,
    spacing: tuple[float, float] | None,
    prefix: str = '',
) -> dict[str, float]:
    """How far the surfaces of two masks lie apart.

    Args:
        predicted (np.ndarray): bool of shape (H, W).
        true (np.ndarray): bool of shape (H, W).
        spacing (tuple[float, float], optional): Height and width of a pixel in mm.
        prefix (str): Stands before the names. Defaults to ''.

    Returns:
        dict[str, float]: ``hd95_px`` and ``assd_px`` in pixels, ``hd95_mm`` and ``assd_mm``; NaN
        where a mask is empty or the spacing unknown.
    """
    in_pixels = surface_distances(predicted, true)
    in_mm = surface_distances(predicted, true, spacing) if spacing else (np.nan, np.nan)
    names = (prefix + name for name in DISTANCES)
    return dict(zip(names, (*in_pixels, *in_mm)))


def seg_statistics(
    table: Mapping[str, np.ndarray],
    structures: Sequence[str],
    rows: np.ndarray,
    prefix: str = '',
) -> dict[str, float]:
    """Sum some images up.

    Args:
        table (Mapping[str, np.ndarray]): Columns ``<structure>/overlap``, ``/predicted``,
            ``/true``, ``/dice``, ``/iou`` and, if measured, the distances; float64 of shape (n,).
        structures (Sequence[str]): Structures, without the background.
        rows (np.ndarray): Which images, int64.
        prefix (str): Stands before the names of the columns and the statistics. Defaults to ''.

    Returns:
        dict[str, float]: Of each structure ``<structure>/dice_pooled`` and ``/iou_pooled``, of all
        pixels of these images together; ``/dice_mean`` and ``/iou_mean``, means over images;
        means of the distances. Without a structure before it, the mean over the structures; of a
        single one that is all.
    """
    each = [_statistics(table, f'{prefix}{structure}/', rows) for structure in structures]
    means = {prefix + name: float(np.mean([s[name] for s in each])) for name in each[0]}
    if len(structures) == 1:
        return means
    return means | {
        f'{prefix}{structure}/{name}': value
        for structure, statistics in zip(structures, each)
        for name, value in statistics.items()
    }


def _statistics(table: Mapping[str, np.ndarray], prefix: str, rows: np.ndarray) -> dict[str, float]:
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


def missed(table: Mapping[str, np.ndarray], structures: Sequence[str]) -> dict[str, int]:
    """Count what is missed or invented, which has no distances.

    Args:
        table (Mapping[str, np.ndarray]): As :func:`seg_statistics` takes it.
        structures (Sequence[str]): Structures.

    Returns:
        dict[str, int]: ``<structure>/missed``: images in which one of the two masks is empty.
    """
    empty = {
        structure: [table[f'{structure}/{name}'] == 0 for name in ('predicted', 'true')]
        for structure in structures
    }
    return {f'{name}/missed': int((one != other).sum()) for name, (one, other) in empty.items()}


def structures_of(table: pd.DataFrame) -> list[str]:
    """Structures that a table of predictions holds.

    Args:
        table (pd.DataFrame): With columns ``<structure>/true``.

    Returns:
        list[str]: In the order of the columns.
    """
    ends = (name.removesuffix('/true') for name in table if name.endswith('/true'))
    return [name for name in ends if '/' not in name]


def _mean(values: np.ndarray) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', RuntimeWarning)  # All may be undefined.
        return float(np.nanmean(values))
