"""Base class of metrics that keep a table of predictions, one row per recording."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from echocardmae_mm.evaluation.bootstrap import Interval, bootstrap_intervals, interval_cells
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.utils.errors import UserError

#: Files that a test writes to its work directory: the metrics, and the table of predictions.
RESULT, PREDICTIONS = 'test.json', 'predictions.csv'
_ABOUT = ('video', 'patient', 'view', 'quality', 'source')

#: Numbers and intervals by name.
Summary = dict[str, Any]


class PredictionMetric(BaseMetric):
    """Metric of a table of predictions, shared by tests, folds and comparisons of models.

    :meth:`summarise` accepts any such table, so the same code summarises a single test and the
    pooled predictions of a cross-validation.

    Attributes:
        predictions (pd.DataFrame): The table of the last evaluation, in the order of the data set,
            on the main process.
        statistics (dict[str, float | Interval]): Its summary.
        labels (dict[str, str]): Labels of the main statistics, in the order of the report.

    Args:
        n_resamples (int): Bootstrap resamples of the patients; 0 omits the intervals, for
            validation during training. Defaults to 2000.
        seed (int): Seed of the bootstrap. Defaults to 0.
        collect_device (str): See :class:`mmengine.evaluator.BaseMetric`. Defaults to 'cpu'.
    """

    predictions: pd.DataFrame
    statistics: Summary
    labels: dict[str, str]

    def __init__(self, n_resamples: int = 2000, seed: int = 0, collect_device: str = 'cpu') -> None:
        super().__init__(collect_device=collect_device)
        self.n_resamples = n_resamples
        self.seed = seed

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add a row for each recording.

        Args:
            data_batch (Any): Ignored.
            data_samples (Sequence[dict]): Predictions, with ``filename`` or ``img_path`` and, if
                the data set has them, ``patient``, ``view``, ``quality`` and ``source``.

        Raises:
            UserError: If a sample lacks a key that the metric needs.
        """
        for sample in data_samples:
            with name_missing_key(type(self).__name__):
                video = video_of(sample)
                about = {'video': video, 'patient': video}
                about |= {name: sample[name] for name in _ABOUT if sample.get(name) is not None}
                self.results.append({**about, **self.row(sample)})

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Summarise the table.

        Returns:
            dict[str, float]: Each statistic, and ``<name>_low`` and ``<name>_high`` if it has an
            interval.
        """
        self.predictions = pd.DataFrame(results)
        self.statistics = self.summarise(self.predictions)
        return flatten(self.statistics)

    @abstractmethod
    def row(self, sample: dict) -> dict[str, Any]:
        """Columns of one recording, except those that identify it."""

    @abstractmethod
    def summarise(self, predictions: pd.DataFrame) -> Summary:
        """Statistics of a table of predictions."""

    @abstractmethod
    def report(self) -> str:
        """Format the statistics of the last evaluation as Markdown tables."""

    def plots(self, predictions: pd.DataFrame) -> dict[str, Figure]:
        """Plots of a table of predictions, by name; none by default."""
        return {}

    def remark_on_folds(self, means: Mapping[str, float]) -> str:
        """A Markdown line below the means over folds; empty by default.

        Args:
            means (Mapping[str, float]): Mean over folds of each statistic, counts included.
        """
        return ''

    def _main_table(self, labels: Mapping[str, str]) -> str:
        statistics = self.statistics
        title = f'{statistics["n"]} recordings of {statistics["patients"]} patients'
        rows = [(label, *interval_cells(statistics[name])) for name, label in labels.items()]
        return markdown_table((title, '', '95 %'), rows)

    def _with_intervals(
        self, statistics: Callable[[np.ndarray], dict[str, float]], predictions: pd.DataFrame
    ) -> Summary:
        """Size of the table and statistics of its rows, with intervals if ``n_resamples`` > 0."""
        patients = predictions['patient'].to_numpy()
        sizes = {'n': len(predictions), 'patients': len(np.unique(patients))}
        if not self.n_resamples:
            return {**sizes, **statistics(np.arange(len(predictions)))}
        intervals = bootstrap_intervals(
            statistics, patients, n_resamples=self.n_resamples, seed=self.seed
        )
        return {**sizes, **intervals}


def video_of(sample: dict) -> str:
    """File name of a sample of ours, or of one that MMSegmentation packed."""
    return Path(sample['filename'] if 'filename' in sample else sample['img_path']).name


def class_probabilities(sample: dict) -> np.ndarray:
    """Probabilities of the classes, float64 of shape (K,).

    Args:
        sample (dict): With ``pred_score``, such as from MMAction2's heads with
            ``average_clips='prob'``.

    Raises:
        UserError: If they are not probabilities.
    """
    scores = np.asarray(sample['pred_score'].cpu(), np.float64)
    if scores.ndim > 1 or scores.min() < 0 or abs(scores.sum() - 1) > 1e-2:
        raise UserError(
            f"{video_of(sample)}: the model's scores are not probabilities\n"
            "Set average_clips='prob' in cls_head"
        )
    return scores


@contextmanager
def name_missing_key(metric: str) -> Iterator[None]:
    """Turn the ``KeyError`` of a sample into an error that says what to change.

    Args:
        metric (str): Name of the metric.
    """
    try:
        yield
    except KeyError as error:
        raise UserError(
            f'{metric}: a sample has no {error}\n'
            'Add it to meta_keys or algorithm_keys of the transform that packs the samples, or use '
            'a data set and a head that provide it'
        ) from error


def finite_rows(predictions: pd.DataFrame, column: str) -> pd.DataFrame:
    """Rows in which a column is finite, so that it can be plotted; warns of omitted rows."""
    finite = predictions[np.isfinite(predictions[column])]
    if omitted := len(predictions) - len(finite):
        print_log(
            f'the plots omit {omitted} of {len(predictions)} predictions that are not finite',
            'current',
            logging.WARNING,
        )
    return finite


def flatten(statistics: Mapping[str, float | Interval]) -> dict[str, float]:
    """Convert statistics to plain numbers, for mmengine's log.

    Returns:
        dict[str, float]: ``name`` and, for an interval with ends, ``name_low`` and ``name_high``.

    Example:
        >>> flatten({'n': 3, 'mae': Interval(5.0, 4.0, 6.0)})
        {'n': 3, 'mae': 5.0, 'mae_low': 4.0, 'mae_high': 6.0}
    """
    numbers: dict[str, float] = {}
    for name, value in statistics.items():
        if not isinstance(value, Interval):
            numbers[name] = value
            continue
        numbers[name] = value.estimate
        if value.low == value.low:  # not NaN
            numbers[f'{name}_low'], numbers[f'{name}_high'] = value.low, value.high
    return numbers
