"""Measurements from the outlines of a left ventricle."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from echocardmae_mm.evaluation.beats import Beat, find_beats
from echocardmae_mm.evaluation.volumes import LongAxis, largest_part, long_axis, sum_of_disks

#: Name of the ventricle among the classes of a segmentation.
VENTRICLE = 'left ventricle'
_MM3_OF_ML = 1000.0
_MM2_OF_CM2 = 100.0


class Ventricle(NamedTuple):
    """Measurements of a left ventricle over a recording.

    Args:
        frames (pd.DataFrame): One row per frame: ``frame``, ``seconds``, ``instant`` ('ED', 'ES'
            or ''), ``area_pixels``, and with a spacing ``area_cm2``, ``volume_ml`` and
            ``long_axis_mm``; without one ``volume_pixels3``.
        beats (pd.DataFrame): One row per beat: ``ed_frame``, ``es_frame``, ``ef_percent``, and with
            a spacing ``edv_ml``, ``esv_ml`` and ``stroke_volume_ml``.
        values (dict[str, Any]): Means over the beats, by the columns of ``results.csv``.
        disks (dict[str, Any] | None): Long axis and diameters of the disks in mm, means over the
            beats, at 'ed' and 'es'; None without a spacing or a beat.
    """

    frames: pd.DataFrame
    beats: pd.DataFrame
    values: dict[str, Any]
    disks: dict[str, Any] | None


def measure_ventricle(
    masks: np.ndarray, fps: float | None, spacing: tuple[float, float] | None
) -> Ventricle:
    """Measure area, volume and beats.

    Args:
        masks (np.ndarray): The ventricle in each frame, bool of shape (T, H, W).
        fps (float, optional): Frames per second.
        spacing (tuple[float, float], optional): Height and width of a pixel in mm.

    Returns:
        Ventricle: Its measurements.
    """
    parts = [largest_part(mask) for mask in masks]
    axes = [long_axis(part, spacing or (1.0, 1.0)) for part in parts]
    volumes = np.array([sum_of_disks(axis, axis) or np.nan for axis in axes])
    frames = pd.DataFrame({'frame': np.arange(len(masks))})
    frames['seconds'] = frames['frame'] / fps if fps else np.nan
    frames['area_pixels'] = [int(part.sum()) for part in parts]
    if spacing:
        volumes = volumes / _MM3_OF_ML
        frames['area_cm2'] = frames['area_pixels'] * np.prod(spacing) / _MM2_OF_CM2
        frames['long_axis_mm'] = [axis.length if axis else np.nan for axis in axes]
    frames['volume_ml' if spacing else 'volume_pixels3'] = volumes
    found = find_beats(volumes, fps)
    frames['instant'] = ''
    for beat in found:
        frames.loc[beat.ed, 'instant'], frames.loc[beat.es, 'instant'] = 'ED', 'ES'
    beats = _beats(found, volumes, spacing is not None)
    disks = _disks(axes, beats) if spacing and len(beats) else None
    return Ventricle(frames, beats, _means(frames, beats, fps), disks)


def _beats(found: list[Beat], volumes: np.ndarray, in_ml: bool) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            'ed_frame': [beat.ed for beat in found],
            'es_frame': [beat.es for beat in found],
            'ef_percent': [beat.ef for beat in found],
        }
    )
    if in_ml:
        table['edv_ml'] = volumes[table['ed_frame'].to_numpy(int)]
        table['esv_ml'] = volumes[table['es_frame'].to_numpy(int)]
        table['stroke_volume_ml'] = table['edv_ml'] - table['esv_ml']
    return table


def _disks(axes: list[LongAxis | None], beats: pd.DataFrame) -> dict[str, Any] | None:
    disks = {}
    for instant in ('ed', 'es'):
        found = [axes[frame] for frame in beats[f'{instant}_frame']]
        present = [axis for axis in found if axis is not None]
        if not present:
            return None
        disks[instant] = {
            'length_mm': float(np.mean([axis.length for axis in present])),
            'diameters_mm': np.mean([axis.diameters for axis in present], axis=0).tolist(),
        }
    return disks


def _means(frames: pd.DataFrame, beats: pd.DataFrame, fps: float | None) -> dict[str, Any]:
    if beats.empty:
        return {'beats': 0}
    ed, es = beats['ed_frame'].to_numpy(int), beats['es_frame'].to_numpy(int)
    values: dict[str, Any] = {
        'beats': len(beats),
        'ef_outline_percent': beats['ef_percent'].mean(),
        'ef_outline_sd_percent': beats['ef_percent'].std(ddof=1),
    }
    for name in ('edv_ml', 'esv_ml', 'stroke_volume_ml'):
        if name in beats:
            values[name] = beats[name].mean()
    if 'area_cm2' in frames:
        values['area_ed_cm2'] = frames['area_cm2'].to_numpy()[ed].mean()
        values['area_es_cm2'] = frames['area_cm2'].to_numpy()[es].mean()
        values['long_axis_ed_mm'] = frames['long_axis_mm'].to_numpy()[ed].mean()
    if fps and len(es) > 1:
        values['heart_rate_bpm'] = 60 * fps / np.diff(es).mean()
    return values
