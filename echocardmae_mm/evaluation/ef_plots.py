"""Plots of predicted ejection fractions, readable on a slide without explanation.

Each function takes the true and the predicted EF in per cent, float of shape (n,).
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from echocardmae_mm.evaluation.ef_statistics import EF_CLASSES, ef_classes
from echocardmae_mm.evaluation.plotting import boxes_with_points, open_axes

_CLASS_LABELS = dict(zip(EF_CLASSES, ('< 30', '30 to 40', '40 to 50', '≥ 50')))


def predicted_against_true(ef: np.ndarray, predicted: np.ndarray) -> Figure:
    """Plot predicted against true EF."""
    figure, axis = open_axes(6.0, 5.6)
    low = float(min(ef.min(), predicted.min(), 10)) - 3
    high = float(max(ef.max(), predicted.max(), 80)) + 3
    median = np.median(ef)
    axis.axvspan(low, 50, color='0.94', zorder=0)
    axis.plot([low, high], [low, high], color='0.3', linewidth=1.2, label='prediction = truth')
    axis.axhline(
        median, color='tab:orange', linestyle='--', linewidth=1.2, label='median of the truth'
    )
    axis.scatter(ef, predicted, s=18, color='tab:blue', alpha=0.6, linewidths=0)
    axis.set(xlim=(low, high), ylim=(low, high), aspect='equal')
    axis.set(xlabel='true ejection fraction (%)', ylabel='predicted ejection fraction (%)')
    axis.set_title(
        f'{len(ef)} recordings: mean absolute error {np.abs(predicted - ef).mean():.1f} points\n'
        f'(predicting the median for all: {np.abs(ef - median).mean():.1f}; '
        'shaded: reduced, below 50 %)',
        fontsize=11,
    )
    axis.legend(loc='upper left', frameon=False)
    return figure


def bland_altman(ef: np.ndarray, predicted: np.ndarray) -> Figure:
    """Plot difference against mean of prediction and truth (Bland and Altman, 1986)."""
    figure, axis = open_axes(6.6, 4.6)
    difference, mean = predicted - ef, (predicted + ef) / 2
    bias, spread = difference.mean(), difference.std(ddof=1) if len(ef) > 1 else 0.0
    axis.axhline(0, color='0.8', linewidth=1)
    axis.scatter(mean, difference, s=18, color='tab:blue', alpha=0.6, linewidths=0)
    for level, label, style in (
        (bias, 'bias', '-'),
        (bias + 1.96 * spread, '+ 1.96 sd', '--'),
        (bias - 1.96 * spread, '− 1.96 sd', '--'),  # noqa: RUF001
    ):
        axis.axhline(level, color='tab:red', linestyle=style, linewidth=1.2)
        axis.annotate(
            f'{label}\n{level:+.1f}',
            (1.01, level),
            xycoords=('axes fraction', 'data'),
            va='center',
            color='tab:red',
            annotation_clip=False,
        )
    reach = 1.15 * max(np.abs(difference).max(), abs(bias) + 1.96 * spread, 1.0)
    axis.set(ylim=(-reach, reach), xlabel='mean of predicted and true ejection fraction (%)')
    axis.set_ylabel('predicted − true (points)')  # noqa: RUF001
    axis.set_title(f'{len(ef)} recordings: about 95 % lie between the dashed lines', fontsize=11)
    return figure


def error_by_ef_class(ef: np.ndarray, predicted: np.ndarray) -> Figure:
    """Plot the errors in each EF class."""
    figure, axis = open_axes(6.6, 4.6)
    errors = {name: (predicted - ef)[members] for name, members in ef_classes(ef).items()}
    labels = [
        f'{_CLASS_LABELS[name]} %\nn = {len(values)}'
        + (f'\nMAE {np.abs(values).mean():.1f}' if len(values) else '')
        for name, values in errors.items()
    ]
    axis.axhline(0, color='0.6', linewidth=1)
    boxes_with_points(axis, list(errors.values()), labels)
    axis.set_xlabel('true ejection fraction')
    axis.set_ylabel('predicted − true (points)')  # noqa: RUF001
    axis.set_title('Error by class of ejection fraction: above 0 is overestimated', fontsize=11)
    return figure
