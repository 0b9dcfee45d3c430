"""Plot predictions by the start of the clip (Figure 2 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from echocardmae_mm.evaluation.plotting import open_axes

_COLOURS = ('tab:blue', 'tab:orange')
_EXAMPLES = 3


def clip_consistency_plot(clips: Mapping[str, pd.DataFrame]) -> Figure:
    """Plot predictions of some recordings by start frame, and the spread of all recordings.

    The examples are recordings at evenly spaced ranks of the first model's spread.

    Args:
        clips (Mapping[str, pd.DataFrame]): Tables of one or two models by name, with one row per
            clip: ``video``, ``ef``, ``start`` (frame) and ``prediction`` (per cent).
    """
    spreads = {
        name: table.groupby('video')['prediction'].std().fillna(0.0)
        for name, table in clips.items()
    }
    first = next(iter(spreads.values())).sort_values()
    ranks = np.linspace(0, len(first) - 1, _EXAMPLES + 2).round().astype(int)[1:-1]
    figure, axes = open_axes(3.6 * (_EXAMPLES + 1), 3.7, 1, _EXAMPLES + 1)
    for axis, video in zip(axes, first.index[ranks]):
        for (name, table), colour in zip(clips.items(), _COLOURS):
            rows = table[table['video'] == video].sort_values('start')
            axis.plot(rows['start'], rows['prediction'], color=colour, label=name)
        truth = rows['ef'].iloc[0]
        axis.axhline(truth, color='0.3', linestyle='--', linewidth=1, label='truth')
        low, high = axis.get_ylim()
        middle, reach = (low + high) / 2, max((high - low) / 2, 8)
        axis.set(ylim=(middle - reach, middle + reach), xlabel='start frame of the clip')
        axis.set_title(_shorten(str(video)), fontsize=10)
    axes[0].set_ylabel('predicted ejection fraction (%)')
    axes[0].legend(frameon=False, fontsize=9)
    for (name, spread), colour in zip(spreads.items(), _COLOURS):
        label = f'{name}: mean {spread.mean():.1f}'
        share = np.arange(1, len(spread) + 1) / len(spread)
        axes[-1].step(np.sort(spread), share, color=colour, where='post', label=label)
    axes[-1].set(xlabel='sd over start frames (points)', ylabel='share of recordings', ylim=(0, 1))
    axes[-1].set_title(f'all {len(first)} recordings', fontsize=10)
    axes[-1].legend(frameon=False, fontsize=9, loc='lower right')
    return figure


def _shorten(name: str) -> str:
    return name if len(name) <= 24 else f'{name[:21]}...'
