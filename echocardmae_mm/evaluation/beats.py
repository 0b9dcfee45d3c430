"""Find the beats of a recording from the volume of the ventricle over time."""

from __future__ import annotations

from functools import partial
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
    most half lie within 0.2 s, are interpolated. If a beat's end-diastole or end-systole falls on
    such a frame or on one without a ventricle, the nearest other frame within 0.1 s is given.
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
    frames = np.arange(len(volumes))
    volumes = np.interp(frames, finite, volumes[finite])
    reach = max(3, round(0.1 * (fps or 50)))
    good = _without_outliers(volumes, reach)
    volumes = np.interp(frames, good, volumes[good])
    nearest = partial(_nearest, frames=np.intersect1d(good, finite), reach=reach)
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
        beats.append((begin + int(np.argmax(smooth[begin : es + 1])), int(es)))
        begin = int(es)
    if beats:
        beats = [(ed, es) for ed, es in beats if ed > 0] or beats
    else:
        ed = int(np.argmax(smooth))
        es = ed + int(np.argmin(smooth[ed:])) if ed < len(smooth) - 1 else int(np.argmin(smooth))
        beats = [(ed, es)] if smooth[ed] - smooth[es] > min_stroke else []
    return [
        Beat(nearest(ed), nearest(es), ejection_fraction(smooth[ed], smooth[es]))
        for ed, es in beats
    ]


def _without_outliers(volumes: np.ndarray, reach: int) -> np.ndarray:
    """Frames near the running median, unlike those of a failed segmentation; all if none is."""
    if len(volumes) <= 2 * reach:
        return np.arange(len(volumes))
    low, high = np.percentile(volumes, [10, 90])
    distance = np.abs(volumes - median_filter(volumes, 2 * reach + 1, mode='mirror'))
    good = np.flatnonzero(distance <= _OUTLIER_SHARE_OF_RANGE * (high - low))
    return good if len(good) else np.arange(len(volumes))


def _nearest(frame: int, frames: np.ndarray, reach: int) -> int:
    near = frames[np.abs(frames - frame) <= reach]
    return int(near[np.abs(near - frame).argmin()]) if len(near) else frame
