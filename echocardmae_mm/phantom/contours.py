"""Outlines of the chambers and tracings for the method of disks, in heart coordinates."""

from __future__ import annotations

import numpy as np

from echocardmae_mm.phantom.anatomy import ROWS, Array, Heart

#: Number of chords in an EchoNet-Dynamic tracing, besides the long axis.
NUM_CHORDS = 20

_POINTS = 48


def cavity_chords(heart: Heart, contraction: float, s: Array) -> tuple[Array, Array]:
    """Ends of the cavity's chords at ``s`` along the long axis: two (n, 2) arrays in mm."""
    apex, base = heart.long_axis(contraction)
    left, right = heart.half_widths(s, contraction)
    middle = heart.midline(s, contraction)
    y = apex + s * (base - apex)
    return np.stack([middle - left, y], -1), np.stack([middle + right, y], -1)


def left_ventricle(heart: Heart, contraction: float) -> Array:
    """Outline of the cavity, (n, 2) in mm, which by convention includes papillary muscles."""
    s = np.linspace(0.0, 1.0, _POINTS) ** 1.7
    left, right = cavity_chords(heart, contraction, s)
    return np.concatenate([left[::-1], right[1:]])


def _wall_points(heart: Heart, contraction: float, border: int, rows: Array) -> Array:
    now, rest = heart.axial(contraction)
    x = np.interp(rows, ROWS, heart.borders(contraction)[border])
    return np.stack([x, np.interp(rows, rest, now)], -1)


def epicardium(heart: Heart, contraction: float) -> Array:
    """Outer outline of the left ventricle with its walls, (n, 2) in mm, open at the base."""
    rows = -heart.apex + (heart.length + heart.apex) * np.linspace(0.0, 1.0, _POINTS) ** 1.7
    left = _wall_points(heart, contraction, 3, rows)
    right = _wall_points(heart, contraction, 6, rows)
    return np.concatenate([left[::-1], right[1:]])


def left_atrium(heart: Heart, contraction: float) -> Array:
    """Outline of the left atrium from the mitral valve to its roof, (n, 2) in mm."""
    rows = heart.length + heart.la_length * np.linspace(0.01, 1.0, _POINTS) ** 0.6
    left = _wall_points(heart, contraction, 4, rows)
    right = _wall_points(heart, contraction, 5, rows)
    return np.concatenate([left, right[::-1]])


def tracing(heart: Heart, contraction: float) -> Array:
    """Trace the cavity as EchoNet-Dynamic's sonographers do.

    Returns:
        np.ndarray: (21, 2, 2) in mm: the long axis from apex to mitral valve, then twenty chords,
        apex first, each from its septal to its lateral end.
    """
    s = np.linspace(0.02, 1.0, NUM_CHORDS)
    left, right = cavity_chords(heart, contraction, s)
    apex, base = heart.long_axis(contraction)
    axis = np.array([[[0.0, apex], [0.0, base]]])
    return np.concatenate([axis, np.stack([left, right], axis=1)])
