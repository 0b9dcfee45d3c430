"""Find the beats of a recording from the volume of the ventricle over time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.ndimage import median_filter
from scipy.signal import find_peaks, savgol_filter

from echocardmae_mm.evaluation.volumes import ejection_fraction

_MIN_STROKE = 0.05
_MIN_SHARE_OF_RANGE = 0.25
_OUTLIER_SHARE_OF_RANGE = 0.3


class Beat(NamedTuple):
    """End-diastole and the following end-systole.

    Args:
        ed (int): Frame of end-diastole.
        es (int): Frame of end-systole.
        ef (float): Ejection fraction in per cent.
    """

    ed: int
    es: int
    ef: float


def find_beats(volumes: np.ndarray, fps: float | None = None) -> list[Beat]:
    """Find end-diastole and end-systole of every beat of a recording.

    End-systoles are valleys of the smoothed curve, at least a quarter as deep as its range and at
    least 0.4 s apart. EchoNet-Dynamic's ``segmentation.py`` requires half of the range (and 20
    frames at 50 per second), which drops weak beats of an arrhythmia. Short outliers, of which at
    most half lie within 0.2 s, are interpolated.
    End-diastole is the largest volume between two end-systoles. A beat that begins at the first
    frame may be incomplete and is used only if there is no other. If there is no valley, the
    largest volume and the smallest volume after it form one beat (before it, if the largest volume
    is the last). Changes below 5 % of the largest volume do not count as a beat.

    Args:
        volumes (np.ndarray): Volume or area of each frame, (T,). NaN, for frames without a
            ventricle, is interpolated.
        fps (float, optional): Frames per second. Defaults to None, which assumes 50.

    Returns:
        list[Beat]: In order of time; empty if nothing moves.

    Example:
        >>> seconds = np.arange(100) / 50
        >>> beats = find_beats(100 + 40 * np.cos(2 * np.pi * seconds), fps=50)
        >>> [(beat.ed, beat.es, round(beat.ef)) for beat in beats]
        [(50, 75, 57)]
    """
    volumes = np.asarray(volumes, np.float64)
    finite = np.flatnonzero(np.isfinite(volumes))
    if len(finite) < 2:
        return []
    volumes = _without_outliers(np.interp(np.arange(len(volumes)), finite, volumes[finite]), fps)
    window = 2 * (max(5, round(0.1 * (fps or 50))) // 2) + 1
    smooth = savgol_filter(volumes, window, 2) if len(volumes) > window else volumes
    smooth = np.clip(smooth, volumes.min(), volumes.max())
    low, high = np.percentile(smooth, [2, 98])
    min_stroke = _MIN_STROKE * smooth.max()
    valleys = find_peaks(
        -smooth,
        distance=max(1, round(0.4 * (fps or 50))),
        prominence=max(_MIN_SHARE_OF_RANGE * (high - low), min_stroke, np.finfo(float).tiny),
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
    if smooth[ed] - smooth[es] <= min_stroke:
        return []
    return [Beat(ed, es, ejection_fraction(smooth[ed], smooth[es]))]


def _without_outliers(volumes: np.ndarray, fps: float | None) -> np.ndarray:
    """Interpolate frames far from the running median, such as those of a failed segmentation."""
    reach = max(3, round(0.1 * (fps or 50)))
    if len(volumes) <= 2 * reach:
        return volumes
    low, high = np.percentile(volumes, [10, 90])
    distance = np.abs(volumes - median_filter(volumes, 2 * reach + 1, mode='mirror'))
    good = np.flatnonzero(distance <= _OUTLIER_SHARE_OF_RANGE * (high - low))
    return np.interp(np.arange(len(volumes)), good, volumes[good]) if len(good) else volumes
