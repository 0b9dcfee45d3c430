"""Compute volume and ejection fraction of the left ventricle from masks.

Volumes use Simpson's method of disks along the long axis (modified Simpson's rule; Lang et al.,
"Recommendations for cardiac chamber quantification by echocardiography in adults", 2015):
single-plane with circular disks, or biplane with elliptical disks.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.ndimage import label

NUM_DISKS = 20
_MM3_OF_ML = 1000.0
_END_SHARE = 0.15
_ITERATIONS = 5
_MIN_PIXELS = 10


class LongAxis(NamedTuple):
    """Long axis and disks of a ventricle.

    Args:
        length (float): Distance from apex to base.
        diameters (np.ndarray): Diameters of the disks, evenly spaced along the axis, apex first,
            (NUM_DISKS,).
        apex (np.ndarray, optional): (y, x) of the end nearer to the probe; None from a table.
        base (np.ndarray, optional): (y, x) of the other end; None from a table.
    """

    length: float
    diameters: np.ndarray
    apex: np.ndarray | None = None
    base: np.ndarray | None = None


def largest_part(mask: np.ndarray) -> np.ndarray:
    """Keep the largest connected part of a mask, bool of shape (H, W)."""
    parts, count = label(mask)
    if count < 2:
        return mask
    return parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])


def long_axis(mask: np.ndarray, spacing: tuple[float, float] = (1.0, 1.0)) -> LongAxis | None:
    """Find the long axis of a ventricle and the diameters across it.

    The axis passes through the centres of the slices. It starts as the principal axis of the mask
    and is refitted five times, excluding the ends, where the base cuts the slices obliquely.

    Args:
        mask (np.ndarray): bool of shape (H, W); the probe is at the top.
        spacing (tuple[float, float]): Height and width of a pixel. Defaults to (1, 1).

    Returns:
        LongAxis, optional: In the unit of ``spacing``; None for a mask of fewer than ten pixels.
    """
    points = np.argwhere(mask) * np.asarray(spacing)
    if len(points) < _MIN_PIXELS:
        return None
    centre, direction = points.mean(0), _principal_axis(points)
    for _ in range(_ITERATIONS):
        across = np.array([-direction[1], direction[0]])
        offset, slope = _line_of_centres((points - centre) @ direction, (points - centre) @ across)
        centre = centre + offset * across
        direction = _downwards(direction + slope * across)
    along = (points - centre) @ direction
    # Pixels extend half their size beyond their centres.
    reach = np.abs(direction) @ np.asarray(spacing) / 2
    low, high = along.min() - reach, along.max() + reach
    thickness = (high - low) / NUM_DISKS
    disks = np.clip(((along - low) / thickness).astype(int), 0, NUM_DISKS - 1)
    areas = np.bincount(disks, minlength=NUM_DISKS) * np.prod(spacing)
    return LongAxis(
        float(high - low),
        areas / thickness,
        (centre + low * direction) / spacing,
        (centre + high * direction) / spacing,
    )


def _downwards(direction: np.ndarray) -> np.ndarray:
    unit = direction / np.linalg.norm(direction)
    return unit if unit[0] > 0 else -unit


def _principal_axis(points: np.ndarray) -> np.ndarray:
    return _downwards(np.linalg.eigh(np.cov(points.T))[1][:, -1])


def _line_of_centres(along: np.ndarray, across: np.ndarray) -> tuple[float, float]:
    """Offset and slope of the line through the centres of the slices, excluding the ends."""
    low, high = along.min(), along.max()
    margin = _END_SHARE * (high - low)
    edges = np.linspace(low + margin, high - margin, 2 * NUM_DISKS + 1)
    slices = np.digitize(along, edges)
    centres = [
        ((begin + end) / 2, (part.min() + part.max()) / 2)
        for number, (begin, end) in enumerate(pairwise(edges), start=1)
        if len(part := across[slices == number])
    ]
    if len(centres) < 3:
        return 0.0, 0.0
    along_axis, offsets = np.array(centres).T
    slope, offset = np.polyfit(along_axis, offsets, 1)
    return float(offset), float(slope)


def single_plane_volume(mask: np.ndarray, spacing: tuple[float, float] | None = None) -> float:
    """Single-plane volume of a ventricle, by Simpson's method with circular disks.

    Args:
        mask (np.ndarray): bool of shape (H, W).
        spacing (tuple[float, float], optional): Height and width of a pixel in mm. Defaults to
            None, unknown.

    Returns:
        float: mL, or cubic pixels without a spacing; 0 for an empty mask.
    """
    axis = long_axis(mask, spacing or (1.0, 1.0))
    return sum_of_disks(axis, axis) / (_MM3_OF_ML if spacing else 1.0)


def biplane_volume(
    four_chamber: np.ndarray,
    two_chamber: np.ndarray,
    spacings: tuple[tuple[float, float], tuple[float, float]],
) -> float:
    """Biplane volume of a ventricle, by Simpson's method with elliptical disks.

    Args:
        four_chamber (np.ndarray): bool of shape (H, W).
        two_chamber (np.ndarray): bool of shape (H', W').
        spacings (tuple): Height and width of a pixel in mm, of each view.

    Returns:
        float: mL; 0 if one of the masks is empty.

    Example:
        >>> mask = np.zeros((112, 112), bool)
        >>> mask[10:90, 40:80] = True  # 80 mm long and 40 mm wide at 1 mm per pixel
        >>> round(biplane_volume(mask, mask, ((1.0, 1.0), (1.0, 1.0))), 1)
        100.5
    """
    first, second = (
        long_axis(mask, spacing) for mask, spacing in zip((four_chamber, two_chamber), spacings)
    )
    return sum_of_disks(first, second) / _MM3_OF_ML


def sum_of_disks(first: LongAxis | None, second: LongAxis | None) -> float:
    """Volume of elliptical disks, whose diameters come from two orthogonal planes.

    Args:
        first (LongAxis, optional): Axis in one plane.
        second (LongAxis, optional): Axis in the other plane; pass the same axis twice for circular
            disks.

    Returns:
        float: In the cubed unit of the lengths, using the longer of the two axes; 0 without an
        axis.
    """
    if first is None or second is None:
        return 0.0
    areas = np.pi / 4 * first.diameters * second.diameters
    return float(areas.sum() * max(first.length, second.length) / NUM_DISKS)


def ejection_fraction(end_diastolic: float, end_systolic: float) -> float:
    """Ejection fraction in per cent; NaN if the end-diastolic volume is 0.

    Example:
        >>> ejection_fraction(120.0, 48.0)
        60.0
    """
    return float(100 * (1 - end_systolic / end_diastolic)) if end_diastolic > 0 else np.nan
