"""Plot the area of the left ventricle over time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from echocardmae_mm.evaluation.beats import Beat
from echocardmae_mm.evaluation.plotting import single_axis


def area_curve(table: pd.DataFrame, beats: Sequence[Beat], fps: float | None) -> Figure:
    """Plot the area of the left ventricle, with end-diastole and end-systole marked.

    Args:
        table (pd.DataFrame): One row per frame, with the column ``area_cm2`` or ``area_pixels``.
        beats (Sequence[Beat]): Beats from :func:`find_beats`.
        fps (float, optional): Frames per second; None labels the time axis in frames.
    """
    column, unit = ('area_cm2', 'cm²') if 'area_cm2' in table else ('area_pixels', 'pixels')
    area = table[column].to_numpy(np.float64)
    time = np.arange(len(area)) / (fps or 1)
    figure, axis = single_axis(8.4, 3.8)
    axis.plot(time, area, color='0.35', linewidth=1.4)
    for name, colour, frames in (
        ('end-diastole', 'tab:blue', [beat.ed for beat in beats]),
        ('end-systole', 'tab:red', [beat.es for beat in beats]),
    ):
        axis.scatter(time[frames], area[frames], s=42, color=colour, label=name, zorder=3)
    for beat in beats:
        middle = (time[beat.ed] + time[beat.es]) / 2
        axis.annotate(f'{beat.ef:.0f} %', (middle, area.max() * 1.04), ha='center', fontsize=9)
    axis.set(xlabel='seconds' if fps else 'frame', ylabel=f'area of the left ventricle ({unit})')
    axis.set_ylim(0, max(area.max(), 1e-9) * 1.15)
    efs = [beat.ef for beat in beats]
    axis.set_title(
        f'{len(beats)} beats, ejection fraction {np.mean(efs):.0f} % (Simpson)'
        if beats
        else 'no beat found',
        fontsize=11,
    )
    if beats:
        axis.legend(loc='lower right', frameon=False, fontsize=9)
    return figure
