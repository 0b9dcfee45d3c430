"""EchoNet-Dynamic's tracings of the left ventricle: outline, area and mask."""

from __future__ import annotations

import numpy as np
from skimage.draw import polygon


def tracing_outline(tracing: np.ndarray) -> np.ndarray:
    """Outline of a traced ventricle, down one wall and up the other.

    Args:
        tracing (np.ndarray): The long axis, which is not part of the outline, then the chords:
            (x1, y1, x2, y2) in pixels, shape (n, 4).

    Returns:
        np.ndarray: Points (x, y), float64 of shape (2 * (n - 1), 2).
    """
    return np.concatenate([tracing[1:, :2], tracing[:0:-1, 2:]])


def tracing_mask(tracing: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Mask of a traced ventricle, as EchoNet-Dynamic's own loader draws it.

    Args:
        tracing (np.ndarray): See :func:`tracing_outline`.
        shape (tuple[int, int]): Height and width of the frame, which clips the mask.

    Returns:
        np.ndarray: uint8 of ``shape``, 1 in the ventricle.
    """
    mask = np.zeros(shape, np.uint8)
    x, y = np.rint(tracing_outline(tracing)).T
    mask[polygon(y, x, shape)] = 1
    return mask


def traced_area(tracing: np.ndarray) -> float:
    """Area of a traced ventricle in square pixels, by the shoelace formula."""
    x, y = tracing_outline(tracing).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def visible_share(tracing: np.ndarray, shape: tuple[int, int]) -> float:
    """Approximate share of a traced ventricle that lies within the frame.

    Points outside the frame (``shape`` is its height and width) are moved to its border, so the
    part outside loses its area. A tracing without area has a share of 0.
    """
    height, width = shape
    clipped = np.clip(tracing, 0, (width, height, width, height))
    return traced_area(clipped) / max(traced_area(tracing), 1)
