"""Find the ultrasound sector of a recording by its motion."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from echocardmae_mm.sector.fit import Sector, fit_sector
from echocardmae_mm.sector.geometry import template_sector

MAX_FRAMES = 16
MAX_SIZE = 256
MIN_SIZE = 8
#: Below this range of grey levels a pixel counts as static. Below this share of the motion in its
#: neighbourhood, its motion is JPEG ringing next to the sector.
QUIET = 2.0
SHARE = 0.4
#: Captions, scales and bars are static and bright; the near field sometimes is, too.
BRIGHT = 40
STATIC_WEIGHT = 0.5
MIN_AREA = 0.01
#: A fitted sector that contains less than this share of the hull's evidence has the wrong shape.
GOOD_FIT = 0.97
POOR_FIT = 0.9


def detect_sector(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Find the sector of a recording, whatever its size, depth, width and tilt.

    Speckle moves; captions, scales and logos do not, and an ECG trace is coloured or thin. The
    function fits a sector with straight edges and round or flat ends to the moving pixels, so the
    result includes cavities, shadows and dropout. It recognises sectors cut by EchoNet's template.

    Args:
        frames (Sequence[np.ndarray]): uint8 RGB frames of shape (H, W, 3), or an array
            (T, H, W, 3). Uses 16 evenly spaced frames, without black ones.

    Returns:
        np.ndarray: bool of shape (H, W), true in the sector.

    Raises:
        ValueError: If there is no moving ultrasound image.
    """
    height, width = frames[0].shape[:2]
    evidence, hull = _isolate(_evidence(grey_frames(frames)))
    small = evidence.shape
    clipped = _fills_template(evidence)
    known = evidence * template_sector(*small) if clipped else evidence

    def merit(inside: np.ndarray) -> float:
        return float(known[inside].sum())

    margin = fit_sector(known, initial_sector(hull, flat=False)).margin(*small)
    if merit(margin > 0) < GOOD_FIT * merit(hull):
        flat = fit_sector(known, initial_sector(hull, flat=True)).margin(*small)
        margin = max(margin, flat, key=lambda fitted: merit(fitted > 0))
    if merit(margin > 0) < POOR_FIT * merit(hull):
        margin = hull - np.float32(0.5)
    mask = cv2.resize(margin, (width, height), interpolation=cv2.INTER_LINEAR) > 0
    return mask & template_sector(height, width) if clipped else mask


def moving_hull(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Find the convex hull of the moving image, which assumes no shape of a sector.

    See :func:`detect_sector` for the frames and the errors.

    Returns:
        np.ndarray: bool of shape (h, w), at most 256 pixels a side.
    """
    return _isolate(_evidence(grey_frames(frames)))[1]


def grey_frames(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Shrink frames (see :func:`detect_sector`) to grey, without coloured pixels and black frames.

    Returns:
        np.ndarray: uint8 of shape (T, h, w), at most 16 evenly spaced frames of at most 256 pixels
        a side.

    Raises:
        ValueError: If fewer than two frames are not black, or they are too small.
    """
    height, width = frames[0].shape[:2]
    chosen = np.linspace(0, len(frames) - 1, min(len(frames), MAX_FRAMES)).round().astype(int)
    factor = -(-max(height, width) // MAX_SIZE)
    if min(height, width) // factor < MIN_SIZE:
        raise ValueError(f'frames of {width} x {height} pixels are too small to show a sector')
    grey = []
    for frame in (frames[index] for index in chosen):
        if factor > 1:
            frame = cv2.resize(
                frame, (width // factor, height // factor), interpolation=cv2.INTER_AREA
            )
        red, green, blue = cv2.split(frame)
        high = cv2.max(cv2.max(red, green), blue)
        low = cv2.min(cv2.min(red, green), blue)
        coloured = ((high - low) > (high >> 2) + 24).astype(np.uint8)
        high[cv2.dilate(coloured, np.ones((3, 3), np.uint8)) > 0] = 0
        grey.append(high)
    levels = np.array([frame.mean() for frame in grey])
    shown = levels > 0.1 * np.median(levels[levels > 0]) if levels.any() else levels > 0
    if shown.sum() < 2:
        raise ValueError(
            f'{shown.sum()} of {len(chosen)} frames are not black; at least 2 are needed to detect '
            'motion'
        )
    return np.array(grey)[shown]


def _evidence(grey: np.ndarray) -> np.ndarray:
    """Score pixels from -1 (certainly not ultrasound) to 1 (certainly ultrasound), (h, w)."""
    darkest, brightest = grey.min(axis=0), grey.max(axis=0)
    motion = (brightest - darkest).astype(np.float32)
    around = cv2.dilate(cv2.blur(motion, (5, 5)), np.ones((7, 7), np.uint8))
    evidence = np.clip(motion / np.maximum(QUIET, SHARE * around) - 1, -1, 1)
    evidence[(evidence < 0) & (darkest > BRIGHT)] *= STATIC_WEIGHT
    return evidence


def _isolate(evidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Discard motion outside the largest solid region; also return that region's convex hull."""
    moving = (evidence > 0).astype(np.uint8)
    solid = cv2.morphologyEx(moving, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    solid = cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if areas.max(initial=0) < MIN_AREA * solid.size:
        raise ValueError(
            'no moving ultrasound image found: the largest moving region covers '
            f'{100 * areas.max(initial=0) / solid.size:.1f} % of the frame, expected at least '
            f'{100 * MIN_AREA:.0f} %'
        )
    piece = (labels == 1 + areas.argmax()).astype(np.uint8)
    outlines, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.fillConvexPoly(np.zeros_like(piece), cv2.convexHull(outlines[0]), 1) > 0
    elsewhere = (evidence > 0) & (cv2.dilate(piece, np.ones((9, 9), np.uint8)) == 0)
    return np.where(elsewhere, np.float32(0), evidence), hull


def _fills_template(evidence: np.ndarray) -> bool:
    """Whether EchoNet's template cut the sector: motion reaches its edges but not beyond."""
    moving = evidence > 0
    template = template_sector(*evidence.shape)
    eroded = cv2.erode(template.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    beyond = (moving & ~template).sum() / moving.sum()
    return bool(beyond < 0.004 and moving[template & ~eroded].mean() > 0.25)


def initial_sector(hull: np.ndarray, flat: bool) -> Sector:
    """Fit edges to the hull's sides above its widest row, and arcs through its ends."""
    rows = np.flatnonzero(hull.any(axis=1))
    top, bottom, middle = rows[0], rows[-1], rows.mean()
    last_column = hull.shape[1] - 1
    lefts = hull[rows].argmax(axis=1)
    rights = last_column - hull[rows, ::-1].argmax(axis=1)
    corners = (0.9 * len(rows),) * 2 if flat else (lefts.argmin(), rights.argmax())
    (left_slope, left), (right_slope, right) = (
        _line(rows, side, int(corner)) for side, corner in zip((lefts, rights), corners)
    )
    left, right = left + left_slope * middle, right + right_slope * middle
    opening = max(right_slope - left_slope, 0.05)
    y = min(middle - (right - left) / opening, top + 0.1 * len(rows))
    x = (left + right + (left_slope + right_slope) * (y - middle)) / 2
    depth = bottom - y
    stretches = [
        np.log(np.sqrt(max(depth**2 - (rows[row] - y) ** 2, 1.0)) / max(abs(side[row] - x), 1.0))
        for side, row, end in ((lefts, lefts.argmin(), 0), (rights, rights.argmax(), last_column))
        if side[row] != end
    ]
    return Sector(
        x,
        y,
        np.arctan2(left - x, middle - y),
        np.arctan2(right - x, middle - y),
        depth,
        max(top - y, 0.5),
        float(np.clip(np.mean(stretches or [0.0]), -0.7, 0.7)),
        flat,
    )


def _line(rows: np.ndarray, side: np.ndarray, corner: int) -> np.ndarray:
    """Slope and offset of the line through a side of the hull above its corner."""
    part = slice(int(0.2 * corner), max(int(0.9 * corner), int(0.2 * corner) + 3))
    return np.polyfit(rows[part], side[part], 1)
