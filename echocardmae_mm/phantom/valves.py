"""Leaflets of the mitral and tricuspid valves as they open and close."""

from __future__ import annotations

import numpy as np

from echocardmae_mm.phantom.anatomy import ROWS, Array, Heart

_POINTS = 9


def _leaflet(hinge: Array, tip: Array, belly: Array) -> Array:
    """Quadratic curve from hinge to tip, bent towards ``belly``."""
    u = np.linspace(0.0, 1.0, _POINTS)[:, None]
    return (1 - u) ** 2 * hinge + 2 * u * (1 - u) * belly + u**2 * tip


def leaflets(heart: Heart, contraction: float, opening: float) -> Array:
    """Curves of the leaflets: mitral anterior and posterior, tricuspid septal and anterior.

    The leaflets of a closed valve meet slightly above the annulus, on the side of the ventricle.
    Those of an open valve point to the apex; the anterior mitral leaflet is the longest.

    Args:
        heart (Heart): The heart.
        contraction (float): Contraction of the heart.
        opening (float): Opening of the valves, 0 closed to 1 wide open.

    Returns:
        np.ndarray: (4, points, 2) in heart mm.
    """
    walls = heart.borders(contraction)
    _, base = heart.long_axis(contraction)

    def at(border: int, row: float) -> float:
        return float(np.interp(row, ROWS, walls[border]))

    curves: list[Array] = []
    tricuspid = heart.length - 4.0
    for left, right, y, share in (
        (at(4, heart.length), at(5, heart.length), base, 0.62),
        (at(2, tricuspid), at(3, tricuspid), base - 4.0, 0.45),
    ):
        width = right - left
        meet = np.array([left + share * width, y - 0.16 * width])
        for hinge_x, length, side in ((left, share, 1.0), (right, 1.0 - share, -1.0)):
            hinge = np.array([hinge_x, y])
            wide = hinge + np.array([side * 0.10 * width, -min(0.95 * length * width, 24.0)])
            tip = meet + (wide - meet) * opening
            middle = 0.5 * (hinge + tip)
            belly = middle + np.array([side * 0.12 * width * opening, 0.08 * width * (1 - opening)])
            curves.append(_leaflet(hinge, tip, belly))
    return np.stack(curves)
