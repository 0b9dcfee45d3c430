"""Beats of a recording, found in the curve of the ventricle's volume."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.signal import find_peaks, savgol_filter

from .volumes import ejection_fraction


class Beat(NamedTuple):
    """End-diastole and the end-systole after it.

    Args:
        ed (int): Frame of end-diastole.
        es (int): Frame of end-systole.
        ef (float): Ejection fraction in per cent.
    """

    ed: int
    es: int
    ef: float


def find_beats(volumes: np.ndarray, fps: float | None = None) -> list[Beat]:
    """End-diastole and end-systole of every beat that a recording holds.

    End-systoles are valleys of the smoothed curve, at least half as deep as the curve is high and
    0.4 s apart, as EchoNet-Dynamic's ``segmentation.py`` looks for them (20 frames at 50 a second);
    each belongs to the largest volume between it and the one before. A valley at the very end, or
    an end-diastole at the very beginning, may be a beat that was cut off, and counts only where
    there is no whole one. Without any valley the largest volume and the smallest after it make one
    beat.

    Args:
        volumes (np.ndarray): Volume or area of each frame, (T,).
        fps (float, optional): Frames a second. Defaults to None, 50 is assumed.

    Returns:
        list[Beat]: In their order; empty if nothing moves.
    """
    volumes = np.asarray(volumes, np.float64)
    if len(volumes) < 2 or np.ptp(volumes) <= 0:
        return []
    window = 2 * (max(5, round(0.1 * (fps or 50))) // 2) + 1
    smooth = savgol_filter(volumes, window, 2) if len(volumes) > window else volumes
    valleys = find_peaks(
        -smooth, distance=max(1, round(0.4 * (fps or 50))), prominence=0.5 * np.ptp(smooth)
    )[0]
    beats = []
    begin = 0
    for es in valleys:
        ed = begin + int(np.argmax(smooth[begin : es + 1]))
        beats.append(Beat(ed, int(es), ejection_fraction(smooth[ed], smooth[es])))
        begin = int(es)
    whole = [beat for beat in beats if beat.ed > 0]
    if whole or beats:
        return whole or beats
    ed = int(np.argmax(smooth))
    es = ed + int(np.argmin(smooth[ed:]))
    return [Beat(ed, es, ejection_fraction(smooth[ed], smooth[es]))] if es > ed else []
