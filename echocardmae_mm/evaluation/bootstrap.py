"""Bootstrap intervals over patients."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import norm, t

_MIN_DEFINED_SHARE = 0.9

Statistics = Callable[[np.ndarray], Mapping[str, float]]


class Interval(NamedTuple):
    """An estimate and its bootstrap interval.

    Args:
        estimate (float): The statistic of the whole sample.
        low (float): Lower end of the interval; NaN without an interval.
        high (float): Upper end of the interval; NaN without an interval.

    Example:
        >>> f'{Interval(-1.234, -2.0, -0.5):+.1f}'
        '-1.2 [-2.0, -0.5]'
    """

    estimate: float
    low: float
    high: float

    def __format__(self, form: str) -> str:
        """Format all three numbers, or the estimate alone without an interval."""
        form = form or '.4g'
        if not math.isfinite(self.low):
            return format(self.estimate, form)
        return f'{self.estimate:{form}} [{self.low:{form}}, {self.high:{form}}]'

    def __str__(self) -> str:
        return format(self)


def interval_cells(value: float | Interval) -> tuple[str, str]:
    """Format a statistic as two table cells: the estimate, and the interval if there is one.

    Example:
        >>> interval_cells(Interval(5.123, 4.0, 6.0))
        ('5.12', '4.00 to 6.00')
        >>> interval_cells(5.123)
        ('5.12', '')
    """
    estimate, low, high = value if isinstance(value, Interval) else (value, np.nan, np.nan)
    ends = f'{low:.2f} to {high:.2f}' if np.isfinite(low) else ''
    return (f'{estimate:.2f}' if np.isfinite(estimate) else 'not defined'), ends


def bootstrap_intervals(
    statistics: Statistics,
    patients: Sequence[Hashable] | np.ndarray,
    n_resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """95 % percentile intervals of several statistics, all from the same resamples of patients.

    Patients are drawn with replacement, each with all its recordings, because recordings of one
    patient are not independent.

    Args:
        statistics (Callable): Maps row indices, int64 with repetitions, to each statistic by name;
            NaN if undefined. The first call gets all rows in order, for the estimates.
        patients (Sequence): The patient of each row.
        n_resamples (int): Number of resamples; 0 leaves the ends NaN. Defaults to 2000.
        seed (int): Seed of the resampling. Defaults to 0.

    Returns:
        dict[str, Interval]: By name. Low and high are NaN with fewer than two patients, or if the
        statistic is undefined for more than a tenth of the resamples.

    Example:
        >>> errors = np.array([3.0, 5.0, 4.0, 8.0])
        >>> patients = ['a', 'a', 'b', 'c']  # two recordings of patient a
        >>> bootstrap_intervals(lambda rows: {'mae': errors[rows].mean()}, patients)
        {'mae': Interval(estimate=5.0, low=4.0, high=8.0)}
    """
    estimates = statistics(np.arange(len(patients)))
    resamples = [statistics(rows) for rows in _resampled_rows(patients, n_resamples, seed)]
    intervals = {}
    for name, estimate in estimates.items():
        values = np.array([resample[name] for resample in resamples], np.float64)
        low = high = float('nan')
        if len(values) and np.isfinite(values).mean() >= _MIN_DEFINED_SHARE:
            low, high = np.nanquantile(values, [0.025, 0.975]).tolist()
        intervals[name] = Interval(float(estimate), low, high)
    return intervals


def bootstrap_runs(
    runs: Sequence[Statistics],
    patients: Sequence[Hashable] | np.ndarray,
    n_resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Intervals of means over several runs, such as seeds; resamples both patients and runs.

    With few runs, plain resampling gives intervals that are too narrow: it underestimates the
    variance of the mean by the factor (runs - 1) / runs, and uses normal instead of Student's
    quantiles. To restore the coverage, the resampled weights of the runs are spread further around
    equal weights.

    Args:
        runs (Sequence[Callable]): The statistics of each run; see :func:`bootstrap_intervals`.
        patients (Sequence): The patient of each row, the same in all runs.
        n_resamples (int): Number of resamples. Defaults to 2000.
        seed (int): Seed of the resampling. Defaults to 0.

    Returns:
        dict[str, Interval]: By name.
    """
    weights = _weights_of_runs(len(runs), seed)

    def means(rows: np.ndarray) -> dict[str, float]:
        of_runs = [run(rows) for run in runs]
        names = list(of_runs[0])
        values = np.array([[statistics[name] for name in names] for statistics in of_runs])
        return dict(zip(names, (next(weights) @ values).tolist()))

    return bootstrap_intervals(means, patients, n_resamples=n_resamples, seed=seed)


def _weights_of_runs(count: int, seed: int) -> Iterator[np.ndarray]:
    """Weights of the runs, which sum to 1: equal for the estimate, then resampled."""
    equal = np.full(count, 1 / count)
    yield equal
    generator = np.random.default_rng([seed, count])
    inflation = 1.0
    if count > 1:
        inflation = np.sqrt(count / (count - 1)) * t.ppf(0.975, count - 1) / norm.ppf(0.975)
    while True:
        yield equal + inflation * (generator.multinomial(count, equal) / count - equal)


def _resampled_rows(
    patients: Sequence[Hashable] | np.ndarray, n_resamples: int, seed: int
) -> Iterator[np.ndarray]:
    _, patient_of_row = np.unique(np.asarray(patients), return_inverse=True)
    order = np.argsort(patient_of_row, kind='stable')
    rows_of_patient = np.split(order, np.flatnonzero(np.diff(patient_of_row[order])) + 1)
    count = len(rows_of_patient)
    if count < 2:
        return
    generator = np.random.default_rng(seed)
    one_row_each = count == len(order)
    for _ in range(n_resamples):
        chosen = generator.integers(0, count, count)
        yield (
            order[chosen] if one_row_each else np.concatenate([rows_of_patient[i] for i in chosen])
        )
