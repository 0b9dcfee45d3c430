"""Plots of a table of segmented images, readable without explanation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from echocardmae_mm.evaluation.plotting import boxes_with_points, open_axes


def dice_by_instant(table: pd.DataFrame, structures: Sequence[str]) -> Figure:
    """Plot the Dice of every image, by structure and instant.

    Args:
        table (pd.DataFrame): Table with columns ``<structure>/dice`` and ``instant``.
        structures (Sequence[str]): Names of the structures.
    """
    instants = sorted(table['instant'].dropna().unique()) or [None]
    groups, labels = [], []
    for structure in structures:
        for instant in instants:
            chosen = table if instant is None else table[table['instant'] == instant]
            values = chosen[f'{structure}/dice'].dropna().to_numpy()
            groups.append(values)
            labels.append(
                f'{structure.replace("_", " ")}\n{instant or ""}\nn = {len(values)}'
                + (f'\nmean {values.mean():.3f}' if len(values) else '')
            )
    figure, axis = open_axes(2.4 + 1.5 * len(groups), 4.6)
    boxes_with_points(axis, groups, labels)
    axis.set(ylim=(None, 1.005), ylabel='Dice per image')
    axis.set_title('Overlap with the true structure: 1 is perfect', fontsize=11)
    return figure


def area_agreement(table: pd.DataFrame, structures: Sequence[str]) -> Figure:
    """Plot predicted against true area of every image.

    Args:
        table (pd.DataFrame): Table with columns ``<structure>/predicted`` and ``<structure>/true``
            in pixels.
        structures (Sequence[str]): Names of the structures.
    """
    figure, axes = open_axes(4.6 * len(structures), 4.6, 1, len(structures), squeeze=False)
    for axis, structure in zip(axes[0], structures):
        true, predicted = (
            table[f'{structure}/{name}'].to_numpy(np.float64) for name in ('true', 'predicted')
        )
        high = 1.05 * max(true.max(), predicted.max(), 1)
        axis.plot([0, high], [0, high], color='0.3', linewidth=1.2)
        axis.scatter(true, predicted, s=14, color='tab:blue', alpha=0.5, linewidths=0)
        axis.set(xlim=(0, high), ylim=(0, high), aspect='equal')
        axis.set(xlabel='true area (pixels)', ylabel='predicted area (pixels)')
        bias = 100 * (predicted.sum() / true.sum() - 1) if true.sum() else np.nan
        axis.set_title(
            f'{structure.replace("_", " ")}: {len(table)} images, area {bias:+.1f} %', fontsize=11
        )
    return figure
