"""Calibrate predicted probabilities by temperature scaling."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

_LOWEST, _HIGHEST = 0.01, 100.0
_BINS = 15


class TemperatureScaling(NamedTuple):
    """Probabilities whose logits are divided by one temperature, which keeps their order.

    Guo et al., "On calibration of modern neural networks", 2017. The logits are those of a
    recording: the logarithms of its mean probabilities over clips.

    Args:
        temperature (float): Above 1 for a model that is too confident.
        n (int): Number of recordings in the calibration.

    Example:
        >>> TemperatureScaling(temperature=2.0, n=100)(np.array([0.1, 0.9])).round(2).tolist()
        [0.25, 0.75]
    """

    temperature: float
    n: int

    def __call__(self, probabilities: np.ndarray) -> np.ndarray:
        """Calibrated probabilities, (..., K)."""
        return softmax(_logits(probabilities) / self.temperature, axis=-1)


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> TemperatureScaling:
    """Fit the temperature by maximum likelihood, on recordings that the model has not seen.

    Args:
        probabilities (np.ndarray): (N, K).
        labels (np.ndarray): True classes, int of shape (N,).

    Returns:
        TemperatureScaling: The fitted temperature.

    Raises:
        ValueError: If a value is not finite, or no temperature is the most likely: all recordings
            are of one class or classified correctly, or the model is no better than chance.
    """
    if not np.isfinite(probabilities).all():
        raise ValueError('a prediction is not a finite number')
    if len(np.unique(labels)) < 2:
        raise ValueError(f'{len(labels)} recordings of fewer than two classes')
    logits = _logits(probabilities)
    chosen = logits[np.arange(len(labels)), labels]
    # The likelihood is concave in 1 / temperature: its slope at 0 and at infinity tells.
    if (chosen == logits.max(axis=1)).all():
        raise ValueError(f'the model is right about all {len(labels)} recordings')
    if np.mean(chosen - logits.mean(axis=1)) <= 0:
        raise ValueError(f'the model is no better than chance on {len(labels)} recordings')

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=-1)
        return float(-scaled[np.arange(len(labels)), labels].mean())

    bounds = np.log([_LOWEST, _HIGHEST])
    found = minimize_scalar(loss, bounds=bounds, method='bounded', options={'xatol': 1e-6})
    return TemperatureScaling(float(np.exp(found.x)), len(labels))


def calibration_errors(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Brier score and expected calibration error.

    Args:
        probabilities (np.ndarray): (N, K).
        labels (np.ndarray): True classes, int of shape (N,).

    Returns:
        dict[str, float]: ``brier``, the mean squared difference of probability and truth, over
        recordings and classes; ``ece``, the mean difference of confidence and accuracy over 15
        bins of equal width of the highest probability, weighted by their recordings.
    """
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, is_right - confidence)
    truth = np.eye(probabilities.shape[1])[labels]
    return {
        'brier': float(np.square(probabilities - truth).mean()),
        'ece': float(np.abs(gaps).sum() / len(labels)),
    }


def _logits(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(np.asarray(probabilities, np.float64), 1e-12))
