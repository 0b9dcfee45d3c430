"""Masks from EchoNet-Dynamic's tracings of the left ventricle."""

from __future__ import annotations

import numpy as np
from skimage.draw import polygon


def tracing_outline(tracing: np.ndarray) -> np.ndarray:
    """Outline of a traced ventricle: down one wall and up the other.

    Args:
        tracing (np.ndarray): Rows (x1, y1, x2, y2) in pixels, (n, 4); the first, the long axis, is
            left out.

    Returns:
        np.ndarray: Points (x, y), float64 of shape (2 * (n - 1), 2).
    """
    return np.concatenate([tracing[1:, :2], tracing[:0:-1, 2:]])


def tracing_mask(tracing: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Mask of a traced ventricle, as EchoNet-Dynamic's own loader draws it.

    Args:
        tracing (np.ndarray): As :func:`tracing_outline` takes it.
        shape (tuple[int, int]): Height and width of the frame; what lies outside is cut off.

    Returns:
        np.ndarray: uint8 of ``shape``, 1 in the ventricle.
    """
    mask = np.zeros(shape, np.uint8)
    x, y = np.rint(tracing_outline(tracing)).T
    mask[polygon(y, x, shape)] = 1
    return mask


def traced_area(tracing: np.ndarray) -> float:
    """Area of a traced ventricle, by the shoelace formula.

    Args:
        tracing (np.ndarray): As :func:`tracing_outline` takes it.

    Returns:
        float: Square pixels.
    """
    x, y = tracing_outline(tracing).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)
