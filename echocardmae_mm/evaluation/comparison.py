"""Two models on the same recordings: what differs, and what could have been seen at all."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from echocardmae_mm.errors import EchoError

from .bootstrap import Interval, bootstrap_intervals
from .ef_statistics import ef_statistics

COMPARED = ('mae', 'rmse', 'r2', 'r', 'bias', 'auroc_below_50')
_KEY = ['patient', 'video']


class Difference(NamedTuple):
    """A statistic of two models.

    Args:
        first (float): The first model's.
        second (float): The second model's.
        difference (Interval): Second minus first, with its interval over patients.
        detectable (float): The smallest true difference that so many patients would show in four of
            five such tests at the level of the interval; NaN without an interval.
    """

    first: float
    second: float
    difference: Interval
    detectable: float


def read_predictions(path: str | Path) -> pd.DataFrame:
    """A table of predictions as ``tools/test.py`` and ``tools/cross_validate.py`` write it.

    Args:
        path (str | Path): A predictions.csv of ejection fractions.

    Returns:
        pd.DataFrame: With ``video``, ``patient``, ``ef`` and ``prediction`` at least.

    Raises:
        EchoError: If the file is missing, has no such columns, or names a recording twice.
    """
    if not Path(path).is_file():
        raise EchoError(f'{path}: no such file; expected a predictions.csv of tools/test.py')
    try:
        table = pd.read_csv(path, dtype={'patient': str, 'video': str})
    except ValueError as error:
        raise EchoError(f'{path}: not a table of comma-separated values ({error})') from error
    if missing := [name for name in (*_KEY, 'ef', 'prediction') if name not in table]:
        raise EchoError(
            f'{path}: missing column {", ".join(missing)}; found {", ".join(table.columns)}'
        )
    twice = table[table.duplicated(_KEY)]
    if len(twice):
        raise EchoError(f'{path}: recording {twice["video"].iloc[0]} is there twice')
    return table


def paired(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Both models' predictions of the same recordings, side by side.

    Args:
        first (pd.DataFrame): As :func:`read_predictions` gives it.
        second (pd.DataFrame): Likewise.

    Returns:
        pd.DataFrame: ``patient``, ``video``, ``ef``, ``prediction_1`` and ``prediction_2``.

    Raises:
        EchoError: If the recordings or their true EF differ.
    """
    both = first.merge(second, on=_KEY, how='outer', suffixes=('_1', '_2'), indicator=True)
    counts = both['_merge'].value_counts()
    if counts['left_only'] or counts['right_only']:
        raise EchoError(
            f'the tables hold different recordings: {counts["both"]} in both, '
            f'{counts["left_only"]} only in the first, {counts["right_only"]} only in the second\n'
            'Test both models on the same data'
        )
    apart = both[(both['ef_1'] - both['ef_2']).abs() > 1e-3]
    if len(apart):
        row = apart.iloc[0]
        raise EchoError(
            f'the true EF of {len(apart)} recordings differs between the tables, such as '
            f'{row["video"]}: {row["ef_1"]:.1f} and {row["ef_2"]:.1f}\n'
            'Test both models on the same release of the data'
        )
    return both.rename(columns={'ef_1': 'ef'})[[*_KEY, 'ef', 'prediction_1', 'prediction_2']]


def compare(
    first: pd.DataFrame, second: pd.DataFrame, resamples: int = 10000, seed: int = 0
) -> dict[str, Difference]:
    """Compare two models by a bootstrap over patients, paired by recording.

    Args:
        first (pd.DataFrame): As :func:`read_predictions` gives it.
        second (pd.DataFrame): Likewise, of the same recordings.
        resamples (int): Resamples of the patients. Defaults to 10000.
        seed (int): Seed of the bootstrap. Defaults to 0.

    Returns:
        dict[str, Difference]: Of each of :data:`COMPARED`.

    Raises:
        EchoError: If the recordings or their true EF differ.
    """
    table = paired(first, second)
    ef = table['ef'].to_numpy(np.float64)
    predictions = [table[f'prediction_{i}'].to_numpy(np.float64) for i in (1, 2)]

    def both(rows: np.ndarray) -> list[dict[str, float]]:
        return [ef_statistics(ef[rows], predicted[rows]) for predicted in predictions]

    def differences(rows: np.ndarray) -> dict[str, float]:
        one, other = both(rows)
        return {name: other[name] - one[name] for name in COMPARED}

    intervals = bootstrap_intervals(
        differences, table['patient'].to_numpy(), resamples=resamples, seed=seed
    )
    one, other = both(np.arange(len(table)))
    return {
        name: Difference(one[name], other[name], interval, detectable_difference(interval))
        for name, interval in intervals.items()
    }


def detectable_difference(
    interval: Interval, confidence: float = 0.95, power: float = 0.8
) -> float:
    """Smallest true difference that a sample of this size would show.

    Args:
        interval (Interval): Of the difference, at ``confidence``.
        confidence (float): Level of the interval. Defaults to 0.95.
        power (float): Share of such tests whose interval would exclude 0. Defaults to 0.8.

    Returns:
        float: In the unit of the difference, taking it as normal.
    """
    reach = norm.ppf((1 + confidence) / 2)
    standard_error = (interval.high - interval.low) / 2 / reach
    return float((reach + norm.ppf(power)) * standard_error)
