"""Plots of a predicted diagnosis, readable on a slide without explanation.

Each function takes the true class of each recording, bool of shape (n,), and the predicted
probability of the positive class, finite floats of shape (n,).
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import binomtest

from echocardmae_mm.evaluation.diagnosis_statistics import THRESHOLD, diagnosis_statistics
from echocardmae_mm.evaluation.discrimination import operating_points
from echocardmae_mm.evaluation.plotting import open_axes

_RECORDINGS_PER_BIN = 20


def roc_and_precision_recall(positive: np.ndarray, scores: np.ndarray) -> Figure:
    """Plot the ROC curve and the precision-recall curve; requires both classes."""
    figure, (roc, precision_recall) = open_axes(10.4, 5.2, 1, 2)
    statistics = diagnosis_statistics(positive, scores)
    true_positives, false_positives = operating_points(scores, positive)
    sensitivity = 100 * true_positives / positive.sum()
    false_positive_rate = 100 * false_positives / (~positive).sum()

    guessing = dict(color='0.6', linestyle='--', linewidth=1.2, label='guessing')
    roc.plot([0, 100], [0, 100], **guessing)
    label = f'AUROC {statistics["auroc"]:.3f}'
    roc.plot([0, *false_positive_rate], [0, *sensitivity], linewidth=1.8, label=label)
    _mark_threshold(roc, 100 - statistics['specificity'], statistics['sensitivity'])
    roc.set(xlabel='100 % − specificity (%)', ylabel='sensitivity (%)')  # noqa: RUF001
    roc.set_title(f'{positive.sum()} positive, {(~positive).sum()} negative', fontsize=11)

    precision = 100 * true_positives / (true_positives + false_positives)
    share = 100 * positive.mean()
    precision_recall.axhline(share, **guessing)
    label = f'AUPRC {statistics["auprc"]:.3f}'
    precision_recall.step(
        [0, *sensitivity], [precision[0], *precision], where='pre', linewidth=1.8, label=label
    )
    _mark_threshold(precision_recall, statistics['sensitivity'], statistics['precision'])
    precision_recall.set(xlabel='sensitivity (%)', ylabel='precision (%)')
    precision_recall.set_title(f'{share:.0f} % of the recordings are positive', fontsize=11)
    for axis in (roc, precision_recall):
        axis.set(xlim=(-2, 102), ylim=(-2, 102), aspect='equal')
        axis.legend(loc='lower right' if axis is roc else 'lower left', frameon=False)
    return figure


def confusion_matrix(positive: np.ndarray, scores: np.ndarray) -> Figure:
    """Plot how many recordings of each class are predicted positive and negative."""
    figure = Figure(figsize=(5.2, 4.8), layout='constrained')
    axis = figure.subplots()
    predicted = scores >= THRESHOLD
    counts = np.array(
        [[(t & p).sum() for p in (predicted, ~predicted)] for t in (positive, ~positive)]
    )
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axis.imshow(shares, cmap='Blues', vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        axis.annotate(
            f'{count}\n{100 * shares[row, column]:.0f} %',
            (column, row),
            ha='center',
            va='center',
            fontsize=16,
            color='white' if shares[row, column] > 0.5 else 'black',
        )
    axis.set_xticks([0, 1], ['predicted positive', 'predicted negative'])
    axis.set_yticks([0, 1], ['positive', 'negative'], rotation=90, va='center')
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set(xlabel=f'at a threshold of {THRESHOLD}; per cent of each row', ylabel='truth')
    axis.set_title(f'{len(positive)} recordings: {np.trace(counts)} correct', fontsize=11)
    return figure


def calibration(positive: np.ndarray, scores: np.ndarray) -> Figure:
    """Plot the share of positives and the number of recordings by score.

    Uses three to ten bins of equal width, about one per 20 recordings. Error bars are Wilson's 95 %
    intervals.
    """
    figure, (axis, below) = open_axes(5.8, 6.6, 2, 1, sharex=True, height_ratios=(3, 1))
    bins = int(np.clip(len(scores) // _RECORDINGS_PER_BIN, 3, 10))
    bin_of = np.minimum((scores * bins).astype(int), bins - 1)
    axis.plot([0, 1], [0, 1], color='0.6', linestyle='--', linewidth=1.2, label='calibrated')
    counts = np.bincount(bin_of, minlength=bins)
    positives = np.bincount(bin_of, positive, bins).astype(int)
    filled = np.flatnonzero(counts)
    means = np.bincount(bin_of, scores, bins)[filled] / counts[filled]
    shares = positives[filled] / counts[filled]
    intervals = [
        binomtest(positives[i], counts[i]).proportion_ci(method='wilson')[:]
        for i in filled.tolist()
    ]
    axis.errorbar(
        means,
        shares,
        np.abs(np.array(intervals).T - shares),
        color='tab:blue',
        marker='o',
        linewidth=1.4,
        elinewidth=1,
        capsize=3,
        label='recordings, 95 % intervals',
    )
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel='share that is positive')
    axis.set_title(
        f'{len(scores)} recordings, Brier score {np.square(scores - positive).mean():.3f}',
        fontsize=11,
    )
    axis.legend(loc='upper left', frameon=False)

    centres = (np.arange(bins) + 0.5) / bins
    bars = below.bar(centres, counts, 0.9 / bins, color='tab:blue', alpha=0.5)
    below.bar_label(bars, padding=2, fontsize=9)
    below.set(ylim=(0, 1.25 * counts.max()), ylabel='recordings')
    below.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    below.set_xlabel('predicted probability of the positive class')
    return figure


def _mark_threshold(axis: Axes, x: float, y: float) -> None:
    axis.plot([x], [y], 'o', color='tab:red', markersize=8, label=f'at a threshold of {THRESHOLD}')
