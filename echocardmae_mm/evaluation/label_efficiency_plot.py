"""Plot a label-efficiency study, readable on a slide without explanation."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from echocardmae_mm.evaluation.bootstrap import Interval
from echocardmae_mm.evaluation.label_efficiency import LabelEfficiency
from echocardmae_mm.evaluation.plotting import open_axes

_COLOURS = {'pretrained': 'tab:blue', 'from scratch': 'tab:orange'}
_NAIVE = {'mae': 'constant median', 'auroc': 'guessing'}
#: Shift of the points of each start, and the largest of their seeds, as a share of the axis.
_SHIFT, _JITTER = 0.007, 0.01


def label_efficiency_plot(results: LabelEfficiency, title: str) -> Figure:
    """Plot both starts by the share of the labels, and their paired difference below.

    Args:
        results (LabelEfficiency): The results.
        title (str): First line of the title.
    """
    shares = np.array([one.share for one in results.shares])
    figure, (top, bottom) = open_axes(7.6, 6.6, 2, 1, sharex=True, height_ratios=(2.6, 1))
    span = max(shares[-1] / shares[0], 2.0)
    starts = [
        ('pretrained', -1, [(one.pretrained, one.of_pretrained) for one in results.shares]),
        ('from scratch', 1, [(one.scratch, one.of_scratch) for one in results.shares]),
    ]
    for name, side, values in starts:
        colour = _COLOURS[name]
        positions = shares * span ** (side * _SHIFT)
        intervals = [interval for interval, _ in values]
        estimates = [interval.estimate for interval in intervals]
        top.plot(positions, estimates, color=colour, linewidth=2.2, marker='o', label=name)
        _error_bars(top, positions, intervals, colour)
        for share, (_, runs) in zip(positions, values):
            jitter = 0.5 * (1 + np.sin(np.arange(len(runs)) * 2.4))
            beside = share * span ** (side * (_SHIFT + _JITTER * jitter))
            top.scatter(beside, runs, s=14, color=colour, alpha=0.45, linewidths=0)
    if np.isfinite(results.naive):
        style = dict(color='0.5', linestyle='--', linewidth=1.2)
        top.axhline(results.naive, label=_NAIVE[results.statistic], **style)
    better = 'lower is better' if results.is_error else 'higher is better'
    unit = ' of EF (points)' if results.statistic == 'mae' else ''
    top.set_ylabel(f'{results.label}{unit}\n{better}')
    top.legend(frameon=False)
    seeds = f'{results.seeds} {"seed" if results.seeds == 1 else "seeds"}'
    over = 'patients' if results.seeds == 1 else 'patients and seeds'
    top.set_title(
        f'{title}: fine-tuned on a share of the labels, tested on {results.patients} patients\n'
        f'{seeds}, one dot each; bars: 95 % intervals over {over}',
        fontsize=11,
    )

    differences = [one.difference for one in results.shares]
    bottom.axhline(0, color='0.3', linewidth=1)
    bottom.plot(shares, [one.estimate for one in differences], 'o', color='black')
    _error_bars(bottom, shares, differences, 'black')
    ends = np.nan_to_num([0.0, *(end for _, *both in differences for end in both)])
    margin = 0.22 * (np.ptp(ends) or 1.0)
    low, high = ends.min() - margin, ends.max() + margin
    worse, vertical = ((0, high), 'top') if results.is_error else ((low, 0), 'bottom')
    bottom.axhspan(*worse, color='0.94', zorder=0)
    position = (0.995, 0.95 if vertical == 'top' else 0.05)
    style = dict(transform=bottom.transAxes, ha='right', va=vertical, color='0.4', fontsize=9)
    bottom.text(*position, 'shaded: pretraining is worse', **style)
    bottom.set_ylim(low, high)
    bottom.set_ylabel('paired difference\npretrained − scratch')  # noqa: RUF001
    bottom.set_xscale('log')
    bottom.xaxis.set_minor_locator(NullLocator())
    ticks = [f'{100 * one.share:g} %\n{one.patients}' for one in results.shares]
    bottom.set_xticks(shares, ticks)
    bottom.set_xlabel('labelled share of the training patients, and their number')
    return figure


def _error_bars(axis: Axes, positions: np.ndarray, intervals: list[Interval], colour: str) -> None:
    """Draw the intervals that are defined."""
    for position, (_, low, high) in zip(positions, intervals):
        if np.isfinite(low):
            middle, reach = (low + high) / 2, (high - low) / 2
            axis.errorbar(position, middle, reach, fmt='none', color=colour, capsize=4)
