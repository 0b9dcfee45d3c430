"""Folds of a cross-validation, gathered: means over folds and pooled figures with intervals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from echocardmae_mm.evaluation.bootstrap import Interval, interval_cells
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.evaluation.prediction_metric import PREDICTIONS, RESULT, PredictionMetric
from echocardmae_mm.utils.errors import UserError


def is_finished(folder: Path) -> bool:
    """Whether a fold was trained and tested.

    Args:
        folder (Path): The fold's work directory.

    Returns:
        bool: True if its figures and its predictions are there.
    """
    return (folder / RESULT).is_file() and (folder / PREDICTIONS).is_file()


def pooled_predictions(folders: Sequence[Path]) -> pd.DataFrame:
    """Out-of-fold predictions of all recordings.

    Args:
        folders (Sequence[Path]): Work directories of the finished folds, in their order.

    Returns:
        pd.DataFrame: The tables of the folds with a column ``fold``.

    Raises:
        UserError: If a patient was tested in two folds, or the folds read different sources.
    """
    tables = [
        pd.read_csv(folder / PREDICTIONS, dtype={'patient': str, 'video': str}).assign(fold=fold)
        for fold, folder in enumerate(folders)
    ]
    pooled = pd.concat(tables, ignore_index=True)
    folds_of_patient = pooled.groupby('patient')['fold'].nunique()
    if (folds_of_patient > 1).any():
        raise UserError(
            f'patient {folds_of_patient.idxmax()} was tested in {folds_of_patient.max()} folds: '
            'the folds are not those of one cross-validation'
        )
    if 'source' in pooled and pooled['source'].nunique() > 1:
        raise UserError(f'the folds read different data: {", ".join(pooled["source"].unique())}')
    return pooled


class OverFolds(NamedTuple):
    """A figure over folds.

    Args:
        mean (float): Mean of the folds.
        sd (float): Standard deviation, ``ddof=1``.
        folds (int): Folds in which it is defined, such as r in those of three recordings or more.
    """

    mean: float
    sd: float
    folds: int


def over_folds(folders: Sequence[Path], prefix: str) -> dict[str, OverFolds]:
    """Mean and standard deviation over folds of each figure of their tests.

    Args:
        folders (Sequence[Path]): Work directories of the finished folds.
        prefix (str): The metric's, without the stroke.

    Returns:
        dict[str, OverFolds]: By the figure's name without prefix.
    """
    rows = [json.loads((folder / RESULT).read_text())['metrics'] for folder in folders]
    table = pd.DataFrame(rows).astype(np.float64)
    return {
        name.removeprefix(f'{prefix}/'): OverFolds(
            float(table[name].mean()), float(table[name].std()), int(table[name].count())
        )
        for name in table
        if not name.endswith(('_low', '_high'))
    }


def report(
    metric: PredictionMetric,
    folds: Mapping[str, OverFolds],
    pooled: Mapping[str, float | Interval],
) -> str:
    """Figures over folds beside pooled ones, as Markdown.

    Args:
        metric (PredictionMetric): Names the figures.
        folds (Mapping): As :func:`over_folds` gives them.
        pooled (Mapping): As the metric sums the pooled predictions up.

    Returns:
        str: A table, and what the metric remarks on its folds.
    """
    rows: list[Sequence[Any]] = []
    for name, label in metric.labels.items():
        if name not in pooled or name not in folds:
            continue
        group = name.rpartition('/')[0]
        number = pooled[f'{group}/n' if group else 'n']
        mean, sd, defined = folds[name]
        estimate, ends = interval_cells(pooled[name])
        cells = (interval_cells(figure)[0] for figure in (mean, sd))
        rows.append(
            (
                label,
                number.estimate if isinstance(number, Interval) else number,
                defined,
                *cells,
                estimate,
                ends,
            )
        )
    header = ('', 'n', 'folds', 'mean over folds', 'sd over folds', 'pooled', '95 %')
    remark = metric.remark_on_folds({name: figure.mean for name, figure in folds.items()})
    return '\n\n'.join(filter(None, (markdown_table(header, rows), remark)))
