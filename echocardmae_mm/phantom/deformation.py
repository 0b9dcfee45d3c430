"""Map points of the contracted heart to the relaxed heart and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from echocardmae_mm.phantom.anatomy import ROWS, Array, Heart


def move_across(x: Array, before: Array, after: Array) -> Array:
    """Move points along a row, piecewise linearly between the walls.

    Args:
        x (np.ndarray): (n,) positions along the row in mm.
        before (np.ndarray): (8, n) walls of each point's row before the motion.
        after (np.ndarray): (8, n) the same walls after the motion.
    """
    moved = after[0].copy()
    for low, high, new_low, new_high in zip(before[:-1], before[1:], after[:-1], after[1:]):
        moved += np.clip(x - low, 0.0, high - low) * ((new_high - new_low) / (high - low))
    return moved


def _rows(y: Array) -> NDArray[np.intp]:
    step = ROWS[1] - ROWS[0]
    return np.clip(np.rint((y - ROWS[0]) / step), 0, len(ROWS) - 1).astype(np.intp)


def to_rest(heart: Heart, x: Array, y: Array, contraction: float) -> tuple[Array, Array]:
    """Map points (mm) of the contracted heart to the relaxed heart."""
    now, rest = heart.axial(contraction)
    row = np.interp(y, now, rest)
    index = _rows(row)
    before, after = heart.borders(contraction)[:, index], heart.borders(0.0)[:, index]
    return move_across(x, before, after), row


def from_rest(heart: Heart, x: Array, y: Array, contraction: float) -> tuple[Array, Array]:
    """Map points (mm) of the relaxed heart to the contracted heart."""
    now, rest = heart.axial(contraction)
    index = _rows(y)
    before, after = heart.borders(0.0)[:, index], heart.borders(contraction)[:, index]
    return move_across(x, before, after), np.interp(y, rest, now)
