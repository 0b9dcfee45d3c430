"""Plot the results of the probes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from encoder_features import PIXELS, RANDOM
from matplotlib.axes import Axes
from matplotlib.figure import Figure

LABELS = {
    'ef': 'ejection fraction, R²',
    'edv': 'volume, R²',
    'beats': 'beats per clip, R²',
    'phase': 'phase, R²',
    'good_quality': 'quality, AUROC',
    'infarction': 'infarction, AUROC',
    'view': 'view, AUROC',
}
_MARKERS = 'osv^Dxp'
_SHOWN = {PIXELS: 'principal components of pixels', RANDOM: 'random weights'}


def plot(results: dict[str, Any], epochs: dict[str, int], out: Path) -> Figure:
    """Plot scores over pretraining and by block, and the error by the number of labels.

    ``epochs`` holds the encoders to show with their epochs of pretraining, at least one; ``out`` is
    the folder with the predicted ejection fractions.
    """
    last = max(epochs, key=epochs.__getitem__)
    figure = Figure(figsize=(13, 4.2), layout='constrained')
    along, by_block, by_labels = figure.subplots(1, 3)
    _draw_along(along, results, epochs)
    _draw_blocks(by_block, results[last]['layers'], _SHOWN.get(last, last))
    shown = dict.fromkeys((PIXELS, RANDOM, last))
    _draw_labels(by_labels, [name for name in shown if name in results], out)
    figure.legend(*along.get_legend_handles_labels(), loc='outside lower center', ncols=7)
    for axis in (along, by_block, by_labels):
        axis.spines[['top', 'right']].set_visible(False)
    return figure


def _draw_along(axis: Axes, results: dict[str, Any], epochs: dict[str, int]) -> None:
    names = sorted(epochs, key=epochs.__getitem__)
    for marker, (target, label) in zip(_MARKERS, LABELS.items()):
        scores = np.array([results[name]['scores'][target] for name in names])  # (n, 3)
        ends = np.abs(scores[:, 1:] - scores[:, :1]).T
        place = [epochs[name] for name in names]
        axis.errorbar(place, scores[:, 0], yerr=ends, marker=marker, capsize=2, label=label)
    axis.set(xlabel='epochs of pretraining (0: random weights)', ylabel='R² or AUROC')
    axis.set_title('What the features tell')


def _draw_blocks(axis: Axes, layers: list[dict[str, Any]], name: str) -> None:
    for marker, target in zip(_MARKERS, LABELS):
        if target in layers[0]:
            values = [layer[target].estimate for layer in layers]
            axis.plot(range(1, len(values) + 1), values, marker=marker)
    axis.set(xlabel='block', ylabel='R²', title=f'By block, {name}')


def _draw_labels(axis: Axes, names: list[str], out: Path) -> None:
    for color, name in zip(('C7', 'C8', 'C9'), names):
        errors: dict[float, list[float]] = {}
        for file in sorted((out / 'efs' / name).glob('share_*.csv')):
            table = pd.read_csv(file)
            error = (table['prediction'] - table['ef']).abs().mean()
            errors.setdefault(float(file.stem.split('_')[1]), []).append(error)
        shares = sorted(errors)
        means = [np.mean(errors[share]) for share in shares]
        axis.plot(100 * np.array(shares), means, color=color, label=_SHOWN.get(name, name))
        for share in shares:
            place = [100 * share] * len(errors[share])
            axis.scatter(place, errors[share], s=10, color=color, alpha=0.5)
    axis.set(xscale='log', xlabel='labelled recordings (%)', ylabel='MAE of the EF (points)')
    axis.set_title('Ejection fraction from few labels')
    axis.legend(frameon=False)
