"""Threshold-free measures of how well a score separates two classes.

Faster than those of SciPy and scikit-learn, for thousands of resamples.
"""

from __future__ import annotations

import numpy as np


def mean_ranks(scores: np.ndarray) -> np.ndarray:
    """Ranks of scores from 1, float of shape (n,).

    Ties get the mean of their ranks. A score that is NaN makes all ranks NaN.
    """
    if np.isnan(scores).any():
        return np.full(len(scores), np.nan)
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def auroc(ranks: np.ndarray, positive: np.ndarray) -> float:
    """Probability that a positive ranks above a negative; ties count half (Mann-Whitney).

    Args:
        ranks (np.ndarray): Ranks of the scores, from :func:`mean_ranks`, float of shape (n,).
        positive (np.ndarray): Class of each, bool of shape (n,).

    Returns:
        float: From 0 to 1; NaN if there is only one class.
    """
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return np.nan
    least = positives * (positives + 1) / 2
    return float((ranks[positive].sum() - least) / (positives * negatives))


def average_precision(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area under the precision-recall curve: the sum of precision times increase in recall.

    Args:
        scores (np.ndarray): Finite, float of shape (n,).
        positive (np.ndarray): Class of each, bool of shape (n,).

    Returns:
        float: From 0 to 1; NaN without positives. Chance level is the share of positives.
    """
    true_positives, false_positives = operating_points(scores, positive)
    if not true_positives[-1]:
        return np.nan
    precision = true_positives / (true_positives + false_positives)
    gains = np.diff(true_positives, prepend=0)
    return float((precision * gains).sum() / true_positives[-1])


def operating_points(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """True and false positives at every threshold, from the highest to the lowest.

    Args:
        scores (np.ndarray): Finite, float of shape (n,), at least one.
        positive (np.ndarray): Class of each, bool of shape (n,).

    Returns:
        tuple[np.ndarray, np.ndarray]: Number of true and of false positives at each distinct
        score, int of shape (distinct scores,).
    """
    order = np.argsort(-scores)
    last_of_ties = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    true_positives = np.cumsum(positive[order])[last_of_ties]
    return true_positives, last_of_ties + 1 - true_positives
