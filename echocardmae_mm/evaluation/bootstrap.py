"""Bootstrap intervals: the one place where the project n_resamples."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import norm, t

_LEAST_SHARE = 0.9


class Interval(NamedTuple):
    """An estimate and its bootstrap interval.

    Args:
        estimate (float): The statistic of the whole sample.
        low (float): Lower end of the interval.
        high (float): Upper end of the interval.
    """

    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        return f'{self.estimate:.4g} [{self.low:.4g}, {self.high:.4g}]'


def interval_cells(value: float | Interval) -> tuple[str, str]:
    """A statistic as a table prints it.

    Args:
        value (float | Interval): With or without an interval.

    Returns:
        tuple[str, str]: The estimate and the ends, with two decimals; no ends, if there are none.
    """
    estimate, low, high = value if isinstance(value, Interval) else (value, np.nan, np.nan)
    ends = f'{low:.2f} to {high:.2f}' if np.isfinite(low) else ''
    return (f'{estimate:.2f}' if np.isfinite(estimate) else 'not defined'), ends


Statistics = Callable[[np.ndarray], Mapping[str, float]]


def bootstrap_intervals(
    statistics: Statistics,
    patients: Sequence[Hashable] | np.ndarray,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Percentile intervals of several statistics, all from the same n_resamples of patients.

    Whole patients are drawn with replacement, each with all its recordings, because recordings of
    one patient are not independent. What the statistics compare stays paired by row.

    Args:
        statistics (Callable): Function of the chosen rows, int64 of any length with repetitions,
            that returns each statistic by its name; NaN where it is not defined on them. It is
            called first with all rows in their order, for the estimates.
        patients (Sequence): The patient of each row.
        confidence (float): Coverage of the intervals. Defaults to 0.95.
        n_resamples (int): Number of n_resamples; 0 leaves the ends NaN. Defaults to 2000.
        seed (int): Seed of the resampling. Defaults to 0.

    Returns:
        dict[str, Interval]: By name. Low and high are NaN with fewer than two patients, and where
        the statistic is defined on fewer than nine tenths of the n_resamples.
    """
    estimates = statistics(np.arange(len(patients)))
    drawn = [statistics(rows) for rows in _resampled_rows(patients, n_resamples, seed)]
    tail = (1 - confidence) / 2
    intervals = {}
    for name, estimate in estimates.items():
        values = np.array([draw[name] for draw in drawn], np.float64)
        low = high = float('nan')
        if len(values) and np.isfinite(values).mean() >= _LEAST_SHARE:
            low, high = np.nanquantile(values, [tail, 1 - tail]).tolist()
        intervals[name] = Interval(float(estimate), low, high)
    return intervals


def weights_of_runs(count: int, seed: int) -> Iterator[np.ndarray]:
    """Share of each run of a model: equal for the estimate, then by how often it is drawn.

    Resampling a few runs shows too little of what runs differ by: the variance of their mean comes
    out too small by (count - 1) / count, and its quantiles are Student's. The drawn shares are set
    apart from the equal ones by as much, so that the interval covers.

    Args:
        count (int): Number of runs.
        seed (int): Seed of the draws.

    Yields:
        np.ndarray: Shares that sum to 1, float64 of shape (count,); equal at first.
    """
    equal = np.full(count, 1 / count)
    yield equal
    generator = np.random.default_rng([seed, count])
    apart = 1.0
    if count > 1:
        apart = np.sqrt(count / (count - 1)) * t.ppf(0.975, count - 1) / norm.ppf(0.975)
    while True:
        yield equal + apart * (generator.multinomial(count, equal) / count - equal)


def _resampled_rows(
    patients: Sequence[Hashable] | np.ndarray, n_resamples: int, seed: int
) -> Iterator[np.ndarray]:
    _, patient_of_row = np.unique(np.asarray(patients), return_inverse=True)
    order = np.argsort(patient_of_row, kind='stable')
    rows_of_patient = np.split(order, np.flatnonzero(np.diff(patient_of_row[order])) + 1)
    if len(rows_of_patient) < 2:
        return
    generator = np.random.default_rng(seed)
    one_row_each = len(rows_of_patient) == len(order)
    for _ in range(n_resamples):
        chosen = generator.integers(0, len(rows_of_patient), len(rows_of_patient))
        yield (
            order[chosen] if one_row_each else np.concatenate([rows_of_patient[i] for i in chosen])
        )
