"""Segment the left ventricle without learning, to detect phantoms that are too easy."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import center_of_mass

Mask = NDArray[np.bool_]
Image = NDArray[np.uint8]

THRESHOLDS = tuple(range(8, 128, 8))


def dice(first: Mask, second: Mask) -> float:
    """Dice overlap of two masks, 1 for two empty ones."""
    total = int(first.sum() + second.sum())
    return 2.0 * int((first & second).sum()) / total if total else 1.0


def dark_blob(image: Image, sector: Mask, threshold: int, centre: tuple[float, float]) -> Mask:
    """Find the dark blob that is nearest to the average position of ventricles.

    Args:
        image (np.ndarray): (H, W) uint8 grey.
        sector (np.ndarray): (H, W) bool, the sector; everything outside is dark.
        threshold (int): Grey level below which the blurred image counts as dark.
        centre (tuple[float]): x and y of the mean ventricle.
    """
    smooth = cv2.medianBlur(image, 5)
    dark = ((smooth < threshold) & sector).astype(np.uint8)
    dark = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, blobs = cv2.connectedComponents(dark, connectivity=4)
    if count < 2:
        return np.zeros_like(sector)
    y, x = np.nonzero(blobs)
    nearest = np.argmin((x - centre[0]) ** 2 + (y - centre[1]) ** 2)
    return blobs == blobs[y[nearest], x[nearest]]


def threshold_dice(
    images: Sequence[Image],
    sectors: Sequence[Mask],
    truths: Sequence[Mask],
    train: NDArray[np.bool_],
) -> tuple[float, int]:
    """Mean Dice of dark blobs, at the best threshold on the training images.

    Args:
        images (Sequence[np.ndarray]): Grey images, (H, W) uint8.
        sectors (Sequence[np.ndarray]): Sectors, (H, W) bool.
        truths (Sequence[np.ndarray]): Ventricles, (H, W) bool.
        train (np.ndarray): (n,) bool, images that determine the threshold; the others are scored.

    Returns:
        tuple[float, int]: Mean Dice of the test images, and the threshold.
    """
    mean = np.mean([truth for truth, chosen in zip(truths, train) if chosen], axis=0)
    y, x = center_of_mass(mean)
    scores = np.array(
        [
            [dice(dark_blob(image, sector, level, (x, y)), truth) for level in THRESHOLDS]
            for image, sector, truth in zip(images, sectors, truths)
        ]
    )
    best = int(np.argmax(scores[train].mean(axis=0)))
    return float(scores[~train, best].mean()), THRESHOLDS[best]


def mean_mask_dice(truths: Sequence[Mask], train: NDArray[np.bool_]) -> float:
    """Mean Dice of the training images' mean mask, thresholded at 0.5, on the other images."""
    mean = np.mean([truth for truth, chosen in zip(truths, train) if chosen], axis=0) >= 0.5
    return float(np.mean([dice(mean, truth) for truth, used in zip(truths, train) if not used]))
