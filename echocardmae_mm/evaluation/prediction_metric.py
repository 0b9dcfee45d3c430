"""Metrics that rest on a table of predictions, one row a recording, which they keep."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from echocardmae_mm.evaluation.bootstrap import Interval

#: What a test leaves in its work directory: figures, and the table.
RESULT, PREDICTIONS = 'test.json', 'predictions.csv'
_ABOUT = ('video', 'patient', 'view', 'quality', 'source')


class PredictionMetric(BaseMetric):
    """Metric of a table of predictions: what tests, folds and comparisons of models share.

    After an evaluation :attr:`predictions` holds the table, in the order of the data set, on the
    main process. :meth:`summarise` works on any such table, so that the pooled predictions of a
    cross-validation are summed up by the same code as a single test.

    Attributes:
        predictions (pd.DataFrame): The table of the last evaluation.
        labels (dict[str, str]): What the main statistics are called in words, in the order in
            which they are reported.

    Args:
        n_resamples (int): Bootstrap resamples of the patients; 0 gives no intervals, for validation
            while training. Defaults to 2000.
        seed (int): Seed of the bootstrap. Defaults to 0.
        collect_device (str): As :class:`mmengine.evaluator.BaseMetric`. Defaults to 'cpu'.
    """

    predictions: pd.DataFrame
    labels: dict[str, str]

    def __init__(self, n_resamples: int = 2000, seed: int = 0, collect_device: str = 'cpu') -> None:
        super().__init__(collect_device=collect_device)
        self.n_resamples = n_resamples
        self.seed = seed

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Adds a row for each recording.

        Args:
            data_batch (Any): Unused.
            data_samples (Sequence[dict]): Predictions, with ``filename`` and, where the data set
                knows them, ``patient``, ``view``, ``quality`` and ``source``.
        """
        for sample in data_samples:
            video = Path(sample['filename']).name
            about = {'video': video, 'patient': video}
            about.update({name: sample[name] for name in _ABOUT if sample.get(name) is not None})
            self.results.append({**about, **self.row(sample)})

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Sums the table up, and logs it in words.

        Args:
            results (list[dict]): Rows of the table.

        Returns:
            dict[str, float]: Each statistic, and ``<name>_low`` and ``<name>_high`` where it has an
            interval.
        """
        self.predictions = pd.DataFrame(results)
        statistics = self.summarise(self.predictions)
        if self.n_resamples:
            print_log(f'{type(self).__name__}\n{self.report(statistics)}', 'current')
        return flatten(statistics)

    @abstractmethod
    def row(self, sample: dict) -> dict[str, Any]:
        """What the table says of one recording besides who it is."""

    @abstractmethod
    def summarise(self, predictions: pd.DataFrame) -> dict[str, float | Interval]:
        """Statistics of a table of predictions."""

    @abstractmethod
    def report(self, statistics: dict[str, float | Interval]) -> str:
        """Statistics in words, as Markdown."""

    @abstractmethod
    def plots(self, predictions: pd.DataFrame) -> dict[str, Figure]:
        """Pictures of a table of predictions, by their names."""

    def remark_on_folds(self, means: Mapping[str, float]) -> str:
        """What the reader of means over folds must know besides, as a line; nothing by default.

        Args:
            means (Mapping[str, float]): Mean over folds of each statistic, counts included.

        Returns:
            str: Markdown.
        """
        return ''


def drawable(predictions: pd.DataFrame, column: str) -> pd.DataFrame:
    """Rows that a picture can show; the log says how many it cannot.

    Args:
        predictions (pd.DataFrame): A table of predictions.
        column (str): The column that must be a finite number.

    Returns:
        pd.DataFrame: The rows in which it is.
    """
    drawn = predictions[np.isfinite(predictions[column])]
    if len(drawn) < len(predictions):
        print_log(
            f'{len(predictions) - len(drawn)} of {len(predictions)} predictions are no number '
            'and not in the pictures',
            'current',
            logging.WARNING,
        )
    return drawn


def flatten(statistics: dict[str, float | Interval]) -> dict[str, float]:
    """Numbers alone, as mmengine logs and stores them.

    Args:
        statistics (dict): Numbers and intervals by name.

    Returns:
        dict[str, float]: ``name`` and, for an interval with ends, ``name_low`` and ``name_high``.
    """
    numbers: dict[str, float] = {}
    for name, value in statistics.items():
        if not isinstance(value, Interval):
            numbers[name] = value
            continue
        numbers[name] = value.estimate
        if value.low == value.low:
            numbers[f'{name}_low'], numbers[f'{name}_high'] = value.low, value.high
    return numbers
