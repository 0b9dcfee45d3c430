"""Summarise a cross-validation: means over folds, and pooled predictions with intervals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from echocardmae_mm.evaluation.bootstrap import interval_cells
from echocardmae_mm.evaluation.comparison import read_rows
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.evaluation.prediction_metric import (
    PREDICTIONS,
    RESULT,
    PredictionMetric,
    Summary,
)
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.text_files import read_json


def is_finished(folder: Path) -> bool:
    """Whether the work directory of a fold contains the results of its test."""
    return (folder / RESULT).is_file() and (folder / PREDICTIONS).is_file()


def pooled_predictions(folders: Sequence[Path]) -> pd.DataFrame:
    """Out-of-fold predictions of all recordings.

    Args:
        folders (Sequence[Path]): Work directories of the finished folds, in order.

    Returns:
        pd.DataFrame: The tables of the folds, with a column ``fold``.

    Raises:
        UserError: If a fold lacks predictions of its test, a patient was tested in two folds, or
            the folds read different sources.
    """
    tables = [_predictions(folder).assign(fold=fold) for fold, folder in enumerate(folders)]
    pooled = pd.concat(tables, ignore_index=True)
    folds_of_patient = pooled.groupby('patient')['fold'].nunique()
    if (folds_of_patient > 1).any():
        raise UserError(
            f'patient {folds_of_patient.idxmax()} was tested in {folds_of_patient.max()} folds: '
            'the folds do not belong to one cross-validation'
        )
    if 'source' in pooled and pooled['source'].nunique() > 1:
        raise UserError(f'the folds used different data: {", ".join(pooled["source"].unique())}')
    return pooled


def _predictions(folder: Path) -> pd.DataFrame:
    path = folder / PREDICTIONS
    table = read_rows(path)
    metrics = _metrics(folder)
    tested = next((n for name, n in metrics.items() if re.fullmatch('[^/]+/n', name)), len(table))
    if len(table) != tested:
        raise UserError(
            f'{path}: {len(table)} predictions, but the test made {tested:.0f}\n'
            f'Remove {folder / RESULT} to test this fold again'
        )
    return table


def _metrics(folder: Path) -> dict[str, float | None]:
    path = folder / RESULT
    metrics = read_json(path).get('metrics')
    if not isinstance(metrics, dict):
        raise UserError(f'{path}: damaged; holds no metrics\nRemove it to test this fold again')
    return metrics


class OverFolds(NamedTuple):
    """A metric over folds.

    Args:
        mean (float): Mean over folds.
        sd (float): Standard deviation, ``ddof=1``.
        folds (int): Number of folds in which the metric is defined.
    """

    mean: float
    sd: float
    folds: int


def over_folds(folders: Sequence[Path], prefix: str) -> dict[str, OverFolds]:
    """Mean and standard deviation over folds of each metric.

    Args:
        folders (Sequence[Path]): Work directories of the finished folds.
        prefix (str): Prefix of the metric, without the slash.

    Returns:
        dict[str, OverFolds]: By name, without the prefix.
    """
    rows = [_metrics(folder) for folder in folders]
    table = pd.DataFrame(rows).astype(np.float64)
    return {
        name.removeprefix(f'{prefix}/'): OverFolds(
            float(table[name].mean()), float(table[name].std()), int(table[name].count())
        )
        for name in table
        if not name.endswith(('_low', '_high'))
    }


def report(metric: PredictionMetric, folds: Mapping[str, OverFolds], pooled: Summary) -> str:
    """Tabulate means over folds and pooled statistics as Markdown.

    Args:
        metric (PredictionMetric): The metric of the tests, which has the labels.
        folds (Mapping): Result of :func:`over_folds`.
        pooled (Summary): The metric's summary of the pooled predictions.
    """
    rows = []
    for name, label in metric.labels.items():
        if name not in pooled or name not in folds:
            continue
        group = name.rpartition('/')[0]
        count = pooled[f'{group}/n' if group else 'n']
        mean, sd, defined = folds[name]
        over = (interval_cells(value)[0] for value in (mean, sd))
        rows.append((label, count, defined, *over, *interval_cells(pooled[name])))
    header = ('', 'n', 'folds', 'mean over folds', 'sd over folds', 'pooled', '95 %')
    remark = metric.remark_on_folds({name: fold.mean for name, fold in folds.items()})
    return '\n\n'.join(filter(None, (markdown_table(header, rows), remark)))
