"""Beats of a recording, found in the curve of the ventricle's volume."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.signal import find_peaks, savgol_filter

from echocardmae_mm.evaluation.volumes import ejection_fraction

_LEAST_STROKE = 0.05


class Beat(NamedTuple):
    """End-diastole and the end-systole that belongs to it.

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
    beat, or before it in a half cycle that is stored backwards. What moves by less than a twentieth
    of the largest volume is no beat.

    Args:
        volumes (np.ndarray): Volume or area of each frame, (T,); NaN where the ventricle was lost,
            which is bridged.
        fps (float, optional): Frames a second. Defaults to None, 50 is assumed.

    Returns:
        list[Beat]: In their order; empty if nothing moves.
    """
    volumes = np.asarray(volumes, np.float64)
    there = np.flatnonzero(np.isfinite(volumes))
    if len(there) < 2:
        return []
    volumes = np.interp(np.arange(len(volumes)), there, volumes[there])
    window = 2 * (max(5, round(0.1 * (fps or 50))) // 2) + 1
    smooth = savgol_filter(volumes, window, 2) if len(volumes) > window else volumes
    smooth = np.clip(smooth, volumes.min(), volumes.max())
    low, high = np.percentile(smooth, [2, 98])
    least = _LEAST_STROKE * smooth.max()
    valleys = find_peaks(
        -smooth,
        distance=max(1, round(0.4 * (fps or 50))),
        prominence=max(0.5 * (high - low), least, np.finfo(float).tiny),
    )[0]
    beats = []
    begin = 0
    for es in valleys:
        ed = begin + int(np.argmax(smooth[begin : es + 1]))
        beats.append(Beat(ed, int(es), ejection_fraction(smooth[ed], smooth[es])))
        begin = int(es)
    if beats:
        return [beat for beat in beats if beat.ed > 0] or beats
    ed = int(np.argmax(smooth))
    es = ed + int(np.argmin(smooth[ed:])) if ed < len(smooth) - 1 else int(np.argmin(smooth))
    if smooth[ed] - smooth[es] <= least:
        return []
    return [Beat(ed, es, ejection_fraction(smooth[ed], smooth[es]))]
