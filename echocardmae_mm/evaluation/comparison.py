"""Two models on the same recordings: what differs, and what could have been seen at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm, t

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
        EchoError: If the file is missing, has no such columns, lacks a number or a patient, or
            names a recording twice.
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
    if table.empty:
        raise EchoError(f'{path}: no recording in it')
    for name in ('ef', 'prediction'):
        table[name] = pd.to_numeric(table[name], errors='coerce')
    incomplete = table[table[[*_KEY, 'ef', 'prediction']].isna().any(axis=1)]
    if len(incomplete):
        raise EchoError(
            f'{path}: {len(incomplete)} recordings without a patient, a true or a predicted EF, '
            f'such as {incomplete["video"].iloc[0]}'
        )
    twice = table[table.duplicated(_KEY)]
    if len(twice):
        raise EchoError(f'{path}: recording {twice["video"].iloc[0]} is there twice')
    return table


def paired(runs: Sequence[tuple[pd.DataFrame, pd.DataFrame]]) -> tuple[pd.DataFrame, np.ndarray]:
    """Predictions of both models in every run, of the same recordings in the same order.

    Args:
        runs (Sequence[tuple[pd.DataFrame, pd.DataFrame]]): Tables of the first and the second
            model, as :func:`read_predictions` gives them, one pair a run.

    Returns:
        tuple: The recordings, with ``patient``, ``video`` and ``ef``, and the predictions, float64
        of shape (runs, 2, recordings).

    Raises:
        EchoError: If the recordings or their true EF differ.
    """
    recordings = runs[0][0].sort_values(_KEY, ignore_index=True)
    tables = [[table.sort_values(_KEY, ignore_index=True) for table in run] for run in runs]
    for table in (table for run in tables for table in run):
        _require_same(recordings, table)
    predictions = np.stack(
        [[table['prediction'].to_numpy(np.float64) for table in run] for run in tables]
    )
    return recordings[[*_KEY, 'ef']], predictions


def compare(
    runs: Sequence[tuple[pd.DataFrame, pd.DataFrame]], resamples: int = 10000, seed: int = 0
) -> dict[str, Difference]:
    """Compare two models by a bootstrap over patients, paired by recording.

    With several runs of each, such as seeds, a statistic is the mean over runs, and the pairs of
    runs are resampled beside the patients, with Student's correction for so few: the interval then
    holds for other runs too.

    Args:
        runs (Sequence[tuple[pd.DataFrame, pd.DataFrame]]): Tables of the first and the second
            model, as :func:`read_predictions` gives them, one pair a run, all of the same
            recordings.
        resamples (int): Resamples of patients and runs. Defaults to 10000.
        seed (int): Seed of the bootstrap. Defaults to 0.

    Returns:
        dict[str, Difference]: Of each of :data:`COMPARED`.

    Raises:
        EchoError: If the recordings or their true EF differ.
    """
    recordings, predictions = paired(runs)
    ef = recordings['ef'].to_numpy(np.float64)

    def of_both(rows: np.ndarray) -> np.ndarray:
        """Statistics of shape (runs, 2, statistics)."""
        each = [[ef_statistics(ef[rows], model[rows]) for model in run] for run in predictions]
        return np.array([[[model[name] for name in COMPARED] for model in run] for run in each])

    weights = _weights_of_runs(len(runs), seed)

    def differences(rows: np.ndarray) -> dict[str, float]:
        first, second = np.tensordot(next(weights), of_both(rows), 1)
        return dict(zip(COMPARED, (second - first).tolist()))

    intervals = bootstrap_intervals(
        differences, recordings['patient'].to_numpy(), resamples=resamples, seed=seed
    )
    first, second = of_both(np.arange(len(ef))).mean(0)
    return {
        name: Difference(one, other, intervals[name], detectable_difference(intervals[name]))
        for name, one, other in zip(COMPARED, first.tolist(), second.tolist())
    }


def _weights_of_runs(count: int, seed: int) -> Iterator[np.ndarray]:
    """Share of each run: equal for the estimate, then by how often it is drawn.

    Resampling a few runs shows too little of what runs differ by: the variance of their mean comes
    out too small by (count - 1) / count, and its quantiles are Student's. The drawn shares are set
    apart from the equal ones by as much, so that the interval covers.
    """
    equal = np.full(count, 1 / count)
    yield equal
    generator = np.random.default_rng([seed, count])
    apart = 1.0
    if count > 1:
        apart = np.sqrt(count / (count - 1)) * t.ppf(0.975, count - 1) / norm.ppf(0.975)
    while True:
        yield equal + apart * (generator.multinomial(count, equal) / count - equal)


def _require_same(first: pd.DataFrame, second: pd.DataFrame) -> None:
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
