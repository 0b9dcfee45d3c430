"""Doubt whether the image inside a detected sector is all of the ultrasound, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from echocardmae_mm.sector.detection import grey_frames

#: Accepted share of the frame. EchoNet's template covers 0.74; phantoms, 0.19 to 0.69.
SHARES = (0.1, 0.85)
#: A pixel of text is brighter than its surroundings by STROKE_CONTRAST within STROKE_WIDTH pixels,
#: and its level varies by less than STATIC over time.
STROKE_WIDTH = 5
STROKE_CONTRAST = 85
STATIC = 40
MAX_TEXT_PIXELS = 40
#: Frames that are compared; a tracing that sweeps over the sector is not static in all of them.
MAX_FRAMES = 32
#: Range of grey levels of a moving pixel, side of the smallest moving patch (so that ringing beside
#: an ECG is none), and accepted area of such patches outside the sector.
MOVING = 8
PATCH = 5
MAX_MISSED = 0.005


def sector_doubt(frames: Sequence[np.ndarray], sector: np.ndarray) -> str | None:
    """State why a detected sector cannot be trusted to separate ultrasound from the screen.

    Three properties are measured: the sector's share of the frame, the static thin bright strokes
    inside it (text that was burned in), and the moving image outside it. Text that changes from
    frame to frame, is dim, or has strokes of more than four pixels is not recognised.

    Args:
        frames (Sequence[np.ndarray]): uint8 RGB frames of shape (H, W, 3), or an array
            (T, H, W, 3).
        sector (np.ndarray): bool of shape (H, W).

    Returns:
        str | None: The reason with the measured value; None if there is no doubt.

    Example:
        >>> import numpy as np
        >>> from echocardmae_mm.sector.geometry import template_sector
        >>> sector = template_sector(112, 112)
        >>> speckle = np.random.default_rng(0).integers(20, 120, (8, 112, 112, 1), np.uint8)
        >>> frames = (speckle * sector[..., None]).repeat(3, axis=-1)
        >>> sector_doubt(frames, sector) is None
        True
        >>> frames[:, 50:57, 40:80:2] = 255
        >>> sector_doubt(frames, sector)
        'text inside the sector: 140 static bright pixels in thin strokes'
    """
    share = float(sector.mean())
    if share < SHARES[0]:
        return f'sector too small: {100 * share:.0f} % of the frame'
    if share > SHARES[1]:
        return f'sector covers nearly the whole frame: {100 * share:.0f} %'
    text = _text_pixels(frames, sector)
    if text > MAX_TEXT_PIXELS:
        return f'text inside the sector: {text} static bright pixels in thin strokes'
    missed = _missed_motion(frames, sector)
    if missed > MAX_MISSED:
        return f'moving image outside the sector: {100 * missed:.1f} % of its area'
    return None


def _text_pixels(frames: Sequence[np.ndarray], sector: np.ndarray) -> int:
    """Number of pixels in the sector that look like burned-in text."""
    chosen = np.linspace(0, len(frames) - 1, min(len(frames), MAX_FRAMES)).round().astype(int)
    levels = np.stack([frames[index].max(axis=-1) for index in chosen])
    darkest, brightest = levels.min(axis=0), levels.max(axis=0)
    kernel = np.ones((STROKE_WIDTH, STROKE_WIDTH), np.uint8)
    inside = cv2.erode(sector.astype(np.uint8), kernel) > 0
    # Tissue that the sector's edge cuts off is no stroke: the surroundings are bright.
    strokes = cv2.morphologyEx(np.where(inside, darkest, np.uint8(255)), cv2.MORPH_TOPHAT, kernel)
    text = (strokes > STROKE_CONTRAST) & (brightest - darkest < STATIC) & inside
    return int(text.sum())


def _missed_motion(frames: Sequence[np.ndarray], sector: np.ndarray) -> float:
    """Area of the moving image outside the sector, relative to the sector."""
    grey = grey_frames(frames)
    moving = (grey.max(axis=0) - grey.min(axis=0) > MOVING).astype(np.uint8)
    solid = cv2.morphologyEx(moving, cv2.MORPH_OPEN, np.ones((PATCH, PATCH), np.uint8)) > 0
    small = cv2.resize(sector.astype(np.uint8), solid.shape[::-1], interpolation=cv2.INTER_NEAREST)
    near = cv2.dilate(small, np.ones((5, 5), np.uint8)) > 0
    return float((solid & ~near).sum() / max(small.sum(), 1))
