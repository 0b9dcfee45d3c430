"""Pictures of how well structures are segmented, each to be read without explanation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure


def dice_by_instant(table: pd.DataFrame, structures: Sequence[str]) -> Figure:
    """Draws the Dice of every image, by structure and instant.

    Args:
        table (pd.DataFrame): Columns ``<structure>/dice`` and ``instant``.
        structures (Sequence[str]): Structures.

    Returns:
        Figure: The picture; nothing is shown or saved.
    """
    instants = sorted(table['instant'].dropna().unique()) or [None]
    figure = Figure(
        figsize=(2.4 + 1.5 * len(structures) * len(instants), 4.6), layout='constrained'
    )
    axis = figure.subplots()
    axis.spines[['top', 'right']].set_visible(False)
    labels: list[str] = []
    for structure in structures:
        for instant in instants:
            chosen = table if instant is None else table[table['instant'] == instant]
            values = chosen[f'{structure}/dice'].dropna().to_numpy()
            place = len(labels)
            labels.append(
                f'{structure.replace("_", " ")}\n{instant or ""}\nn = {len(values)}'
                + (f'\nmean {values.mean():.3f}' if len(values) else '')
            )
            if len(values):
                axis.boxplot(
                    values,
                    positions=[place],
                    widths=0.5,
                    showfliers=False,
                    medianprops=dict(color='tab:red', linewidth=1.6),
                )
                jitter = place + 0.16 * np.sin(np.arange(len(values)) * 2.4)
                axis.scatter(jitter, values, s=10, color='tab:blue', alpha=0.35, linewidths=0)
    axis.set_xticks(range(len(labels)), labels)
    axis.set(xlim=(-0.6, len(labels) - 0.4), ylim=(None, 1.005), ylabel='Dice of an image')
    axis.set_title('Leakage with the true outline: 1 is perfect', fontsize=11)
    return figure


def area_agreement(table: pd.DataFrame, structures: Sequence[str]) -> Figure:
    """Draws predicted against true area of every image.

    Args:
        table (pd.DataFrame): Columns ``<structure>/predicted`` and ``<structure>/true`` in pixels.
        structures (Sequence[str]): Structures.

    Returns:
        Figure: The picture; nothing is shown or saved.
    """
    figure = Figure(figsize=(4.6 * len(structures), 4.6), layout='constrained')
    axes = figure.subplots(1, len(structures), squeeze=False)[0]
    for axis, structure in zip(axes, structures):
        true, predicted = (
            table[f'{structure}/{name}'].to_numpy(np.float64) for name in ('true', 'predicted')
        )
        high = 1.05 * max(true.max(), predicted.max(), 1)
        axis.plot([0, high], [0, high], color='0.3', linewidth=1.2)
        axis.scatter(true, predicted, s=14, color='tab:blue', alpha=0.5, linewidths=0)
        axis.set(xlim=(0, high), ylim=(0, high), aspect='equal')
        axis.set(xlabel='true area (pixels)', ylabel='predicted area (pixels)')
        axis.spines[['top', 'right']].set_visible(False)
        bias = 100 * (predicted.sum() / true.sum() - 1) if true.sum() else np.nan
        axis.set_title(
            f'{structure.replace("_", " ")}: {len(table)} images, area {bias:+.1f} %', fontsize=11
        )
    return figure
