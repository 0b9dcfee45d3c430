"""Bootstrap intervals: the one place where the project resamples."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats


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


def bootstrap_interval(
    statistic: Callable[..., np.ndarray],
    *samples: np.ndarray,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap interval; several samples are resampled together (paired).

    Args:
        statistic (Callable): Function of the samples and of ``axis``, vectorised over the others.
        *samples (np.ndarray): One or more arrays of shape (n,), paired by position: one entry for
            each independent unit (a patient, or a video where each is a patient of its own).
        confidence (float): Coverage of the interval. Defaults to 0.95.
        resamples (int): Number of resamples. Defaults to 2000.
        seed (int): Seed of the resampling. Defaults to 0.

    Returns:
        Interval: Estimate, low and high; low and high are NaN with fewer than two units.
    """
    arrays = tuple(np.asarray(sample, np.float64) for sample in samples)
    estimate = float(statistic(*arrays, axis=-1))
    if len(arrays[0]) < 2:
        return Interval(estimate, float('nan'), float('nan'))
    result = stats.bootstrap(
        arrays,
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        confidence_level=confidence,
        method='percentile',
        rng=np.random.default_rng(seed),
    )
    low, high = result.confidence_interval
    return Interval(estimate, float(low), float(high))
