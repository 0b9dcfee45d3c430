"""Draw the overlays of a scanner's screen: ECG, captions, depth marks, grey bar."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from echocardmae_mm.phantom.field_of_view import FieldOfView

Frames = NDArray[np.uint8]
Array = NDArray[np.float64]

_GREEN, _CYAN, _WHITE, _GREY = (60, 220, 90), (90, 200, 230), (225, 225, 225), (140, 140, 140)

#: Waves of an electrocardiogram: position in the beat, width, height.
_WAVES = ((-0.16, 0.025, 0.14), (-0.02, 0.008, -0.12), (0.0, 0.009, 1.0), (0.02, 0.009, -0.25))
_T_WAVE = (0.32, 0.045, 0.24)


def electrocardiogram(position: Array) -> Array:
    """Voltage at positions in beats (integers are R waves); R waves have a height of about 1."""
    phase = position - np.rint(position)
    voltage = np.zeros_like(phase)
    for place, width, height in (*_WAVES, _T_WAVE):
        voltage += height * np.exp(-(((phase - place) / width) ** 2))
    return voltage


def draw_ecg(
    frames: Frames, position: Array, box: tuple[int, int, int, int], colour: tuple[int, int, int]
) -> None:
    """Draw an ECG trace that sweeps through a box (x0, y0, x1, y1) of the frames, in place."""
    left, top, right, bottom = box
    columns = np.arange(left, right)
    when = np.interp(
        np.linspace(0, len(frames) - 1, len(columns)), np.arange(len(frames)), position
    )
    height = bottom - top
    rows = bottom - height * (0.25 + 0.7 * electrocardiogram(when))
    curve = np.rint(np.stack([columns, rows], -1) * 8).astype(np.int32)
    for index, frame in enumerate(frames):
        head = 2 + int((len(columns) - 2) * (index + 1) / len(frames))
        cv2.polylines(frame, [curve[:head]], False, colour, 1, cv2.LINE_AA, 3)
        gap = head + max(3, len(columns) // 40)
        if gap < len(columns):
            cv2.polylines(frame, [curve[gap:]], False, colour, 1, cv2.LINE_AA, 3)


def draw_caption(
    layer: Frames, lines: list[str], corner: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    """Write lines of text below a corner (x, y), scaled to the picture, in place."""
    scale = max(0.28, layer.shape[0] / 1500.0)
    step = round(34 * scale + 2)
    for number, text in enumerate(lines):
        origin = (corner[0], corner[1] + step * (number + 1))
        cv2.putText(layer, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)


def draw_depth_marks(layer: Frames, view: FieldOfView) -> None:
    """Mark every centimetre of depth at the right edge of the sector, every fifth with a tick."""
    right = min(
        view.origin[0] + view.depth * np.sin(view.half_angle) / view.spacing[1] + 8,
        layer.shape[1] - 6,
    )
    for centimetre in range(1, int(view.depth / 10.0) + 1):
        y = round(view.origin[1] + 10.0 * centimetre / view.spacing[0])
        reach = 5 if centimetre % 5 == 0 else 1
        if 0 <= y < layer.shape[0]:
            cv2.line(layer, (round(right), y), (round(right) + reach, y), _WHITE, 1)


def draw_grey_bar(layer: Frames, left: int, top: int, height: int, width: int) -> None:
    """Draw the grey scale as a vertical bar, bright end up, in place."""
    ramp = np.linspace(255, 0, height).astype(np.uint8)[:, None, None]
    layer[top : top + height, left : left + width] = ramp
    cv2.rectangle(layer, (left - 1, top - 1), (left + width, top + height), _GREY, 1)


def draw_marker(layer: Frames, view: FieldOfView) -> None:
    """Draw the probe's orientation marker beside the sector's apex, in place."""
    size = max(2, layer.shape[0] // 90)
    near = view.near * np.cos(view.half_angle) / view.spacing[0]
    y = max(round(view.origin[1] + near) - size, size + 1)
    x = round(view.origin[0] + view.near * np.sin(view.half_angle) / view.spacing[1]) + 5 * size
    cv2.circle(layer, (x, y), size, _GREEN, -1, cv2.LINE_AA)


def decorate(
    rng: np.random.Generator, frames: Frames, position: Array, view: FieldOfView, chance: float
) -> None:
    """Draw each overlay with a probability of ``chance`` on all frames, in place.

    Only the ECG may overlap the sector, in its lowest part; ``position`` is that of each frame in
    beats.
    """
    height, width = frames.shape[1:3]
    wanted = rng.random(7) < chance
    layer = np.zeros(frames.shape[1:], np.uint8)
    margin = max(2, width // 60)
    if wanted[0]:
        settings = [f'{view.depth / 10:.0f}cm', '2D', f' {rng.integers(40, 80)}%', ' C 50', ' HGen']
        draw_caption(layer, settings, (margin, height // 12), _WHITE)
    if wanted[1]:
        draw_caption(layer, ['PHANTOM HEART', 'ADULT ECHO'], (margin, 0), _CYAN)
    if wanted[2]:
        index = f'MI {rng.uniform(0.8, 1.4):.1f}'
        draw_caption(layer, [index, 'M3'], (width - width // 11, 0), _GREY)
    if wanted[3]:
        draw_depth_marks(layer, view)
    if wanted[4]:
        draw_grey_bar(layer, width - width // 14, height // 7, height // 5, max(4, width // 70))
    if wanted[5]:
        draw_marker(layer, view)
    beside = layer.any(axis=-1) & ~view.mask
    frames[:, beside] = layer[beside]
    if wanted[6]:
        top = round(height * rng.uniform(0.82, 0.88))
        draw_ecg(frames, position, (0, top, width, min(height - 1, top + height // 9)), _GREEN)
