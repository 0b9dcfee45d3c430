"""Prediction intervals by split conformal prediction within groups of similar predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

_GROUPS = 3


class ConformalInterval(NamedTuple):
    """Intervals that contain the truth of a new recording with a probability of at least ``level``.

    Predictions are divided into groups, and each group has its own distances, since a model that
    predicts low ejection fractions too high errs in one direction there and little elsewhere
    (Mondrian conformal prediction: Vovk et al., "Algorithmic learning in a random world", 2005; one
    quantile for each end: Linusson et al., "Signed-error conformal regression", PAKDD 2014). Each
    end holds with probability (1 + level) / 2, so both hold with at least ``level`` in each group
    of predictions, on average over recordings like those of the calibration. This is exact for
    groups fixed in advance and approximate here, because the calibration's predictions set the
    edges.

    Args:
        level (float): Nominal coverage in (0, 1).
        edges (Sequence[float]): Predictions that separate the groups, ascending.
        below (Sequence[float]): Distance of the lower end below the prediction in each group, at
            least 0, in the unit of the predictions.
        above (Sequence[float]): Distance of the upper end above it.
        n (int): Number of recordings in the calibration.

    Example:
        >>> interval = ConformalInterval(0.9, edges=[50.0], below=[20.0, 9.0], above=[4, 8], n=100)
        >>> interval(45.0), interval(60.0)
        ((25.0, 49.0), (51.0, 68.0))
    """

    level: float
    edges: Sequence[float]
    below: Sequence[float]
    above: Sequence[float]
    n: int

    def __call__(self, prediction: float) -> tuple[float, float]:
        """Ends of the interval around a prediction."""
        group = int(np.digitize(prediction, self.edges))
        return prediction - self.below[group], prediction + self.above[group]


def fit_conformal(
    predictions: np.ndarray, truths: np.ndarray, level: float = 0.9
) -> ConformalInterval:
    """Fit intervals on recordings that neither trained nor selected the model.

    There are three groups of equally many predictions, or fewer if there are too few recordings. In
    a group of fewer than 39 (level 0.9), the largest error sets each end.

    Args:
        predictions (np.ndarray): (N,).
        truths (np.ndarray): (N,).
        level (float): Nominal coverage. Defaults to 0.9.

    Returns:
        ConformalInterval: In each group, the smallest distance of each end at (1 + level) / 2.

    Raises:
        ValueError: If there are too few recordings for the level, or a value is not finite.
    """
    if not np.isfinite([predictions, truths]).all():
        raise ValueError('a prediction or a truth is not a finite number')
    n = len(predictions)
    end = (1 + Fraction(str(level))) / 2  # of each end; floats would round (n + 1) * end wrongly
    least = math.ceil(end / (1 - end))
    if n < least:
        raise ValueError(f'{n} recordings are too few for a level of {level}; need {least}')
    edges, groups = _groups(np.asarray(predictions), least)
    errors = np.asarray(truths) - np.asarray(predictions)
    below, above = [], []
    for group in range(len(edges) + 1):
        found = errors[groups == group]
        rank = math.ceil((len(found) + 1) * end)
        below.append(max(float(np.sort(-found)[rank - 1]), 0.0))
        above.append(max(float(np.sort(found)[rank - 1]), 0.0))
    return ConformalInterval(level, edges, below, above, n)


def _groups(predictions: np.ndarray, least: int) -> tuple[list[float], np.ndarray]:
    """Edges, and the group of each prediction; as many groups as have enough recordings."""
    for number in range(_GROUPS, 1, -1):
        edges = np.quantile(predictions, np.arange(1, number) / number)
        groups = np.digitize(predictions, edges)
        if np.bincount(groups, minlength=number).min() >= least:
            return edges.tolist(), groups
    return [], np.zeros(len(predictions), int)
