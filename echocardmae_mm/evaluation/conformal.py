"""Prediction intervals by split conformal prediction."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np


class ConformalInterval(NamedTuple):
    """Intervals that contain the truth of a new recording with probability ``level``.

    The guarantee is marginal: it holds on average over recordings like those of the calibration,
    not for each group of them (Vovk et al., "Algorithmic learning in a random world", 2005; Lei et
    al., "Distribution-free predictive inference for regression", 2018). The half-width is
    ``quantile * (1 + spread_weight * spread)``, where ``spread`` is the standard deviation over the
    clips of a recording.

    Args:
        level (float): Nominal coverage in (0, 1).
        quantile (float): Quantile of the calibration's scores, in the unit of the predictions.
        spread_weight (float): Growth of the width with the spread; 0 for a constant width.
        n (int): Number of recordings in the calibration.

    Example:
        >>> interval = ConformalInterval(level=0.9, quantile=8.0, spread_weight=0.0, n=100)
        >>> interval(55.0)
        (47.0, 63.0)
    """

    level: float
    quantile: float
    spread_weight: float
    n: int

    def __call__(self, prediction: float, spread: float = 0.0) -> tuple[float, float]:
        """Ends of the interval around a prediction."""
        half = self.quantile * (1 + self.spread_weight * spread)
        return prediction - half, prediction + half


def fit_conformal(
    predictions: np.ndarray,
    truths: np.ndarray,
    spreads: np.ndarray | None = None,
    level: float = 0.9,
    spread_weight: float = 0.0,
) -> ConformalInterval:
    """Fit the width of intervals on recordings that neither trained nor selected the model.

    Args:
        predictions (np.ndarray): (N,).
        truths (np.ndarray): (N,).
        spreads (np.ndarray, optional): Standard deviations over clips, (N,); required if
            ``spread_weight`` is not 0. Defaults to None.
        level (float): Nominal coverage. Defaults to 0.9.
        spread_weight (float): See :class:`ConformalInterval`. Defaults to 0.

    Returns:
        ConformalInterval: With the smallest quantile that guarantees the level.

    Raises:
        ValueError: If there are too few recordings for the level, or a value is not finite.
    """
    if not np.isfinite([predictions, truths]).all():
        raise ValueError('a prediction or a truth is not a finite number')
    n = len(predictions)
    exact = Fraction(str(level))  # In floats, 0.55 * 100 exceeds 55.
    rank = math.ceil((n + 1) * exact)
    if rank > n:
        least = math.ceil(exact / (1 - exact))
        raise ValueError(f'{n} recordings are too few for a level of {level}; need {least}')
    scale = 1.0 if spreads is None else 1 + spread_weight * np.asarray(spreads)
    scores = np.abs(np.asarray(predictions) - np.asarray(truths)) / scale
    return ConformalInterval(level, float(np.sort(scores)[rank - 1]), spread_weight, n)
