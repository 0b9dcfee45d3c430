"""Time variants in alternating rounds and compare them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
import torch
from scipy.stats import ttest_1samp

Times = dict[str, np.ndarray]


def alternate(variants: Mapping[str, Callable[[int], object]], rounds: int) -> Times:
    """Seconds of each variant in each round, (rounds,); a first round warms up.

    Each variant receives the number of the round.
    """
    times: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, work in variants.items():
            started = time.perf_counter()
            work(number)
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            times[name].append(time.perf_counter() - started)
    return {name: np.array(values[1:]) for name, values in times.items()}


def ratio(slow: np.ndarray, fast: np.ndarray) -> str:
    """Geometric mean of the ratios of times over rounds, and its 95 % interval by Student's t."""
    logs = np.log(slow / fast)
    interval = ttest_1samp(logs, 0).confidence_interval(0.95)
    low, high = np.exp([interval.low, interval.high])
    digits = 2 if np.exp(logs.mean()) < 10 else 0
    return f'{np.exp(logs.mean()):.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]'
