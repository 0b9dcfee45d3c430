"""Distance of the features of a recording from those of a training set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.covariance import LedoitWolf
from sklearn.model_selection import GroupKFold

#: With fewer patients, mean and covariance would reveal too much about each of them.
LEAST_PATIENTS = 50
_FOLDS = 5


class FeatureDistance(NamedTuple):
    """Mahalanobis distance to a set of features, in units of the distance of ordinary recordings.

    As in Lee et al., "A simple unified framework for detecting out-of-distribution samples and
    adversarial attacks" (NeurIPS 2018), for one class.

    Args:
        mean (np.ndarray): Mean features, (C,).
        precision (np.ndarray): Inverse of their covariance, (C, C).
        unit (float): Distance that a share ``level`` of recordings stays within.
        level (float): This share, in (0, 1).
        n (int): Number of recordings.
    """

    mean: np.ndarray
    precision: np.ndarray
    unit: float
    level: float
    n: int

    def __call__(self, features: np.ndarray) -> float:
        """Distance of the features of one recording, (C,); 1 lies at ``unit``."""
        return float(_distances(features[None], self.mean, self.precision)[0] / self.unit)


def fit_feature_distance(
    features: np.ndarray, patients: Sequence[str], level: float = 0.99
) -> FeatureDistance:
    """Fit mean, covariance (Ledoit-Wolf) and unit.

    The unit is a quantile of the distances of recordings of patients that are left out, in five
    folds.

    Args:
        features (np.ndarray): (N, C), a row for each recording.
        patients (Sequence[str]): Patient of each recording.
        level (float): See :class:`FeatureDistance`. Defaults to 0.99.

    Returns:
        FeatureDistance: The distance.

    Raises:
        ValueError: If there are fewer than :data:`LEAST_PATIENTS` patients.

    Example:
        >>> features = np.random.default_rng(0).normal(size=(400, 8))
        >>> distance = fit_feature_distance(features, [str(i) for i in range(400)])
        >>> distance(np.zeros(8)) < 1 < distance(np.full(8, 3.0))
        True
    """
    if (count := len(set(patients))) < LEAST_PATIENTS:
        raise ValueError(f'{count} patients are too few; need {LEAST_PATIENTS}')
    features = np.asarray(features, np.float64)
    left_out = np.empty(len(features))
    for kept, out in GroupKFold(_FOLDS).split(features, groups=patients):
        fold = LedoitWolf().fit(features[kept])
        left_out[out] = _distances(features[out], fold.location_, fold.precision_)
    whole = LedoitWolf().fit(features)
    unit = float(np.quantile(left_out, level))
    return FeatureDistance(whole.location_, whole.precision_, unit, level, len(features))


def _distances(features: np.ndarray, mean: np.ndarray, precision: np.ndarray) -> np.ndarray:
    offsets = features - mean
    return np.sqrt(np.einsum('ni,ij,nj->n', offsets, precision, offsets))
