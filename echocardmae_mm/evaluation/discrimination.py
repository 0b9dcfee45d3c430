"""How well a score tells two classes apart, whatever the threshold."""

from __future__ import annotations

import numpy as np


def auroc(ranks: np.ndarray, positive: np.ndarray) -> float:
    """Probability that a positive ranks above a negative, ties half (Mann-Whitney).

    Args:
        ranks (np.ndarray): Mean ranks of the scores from 1 on, float of shape (n,).
        positive (np.ndarray): Class of each, bool of shape (n,).

    Returns:
        float: From 0 to 1; NaN where only one class is there.
    """
    count, others = int(positive.sum()), int((~positive).sum())
    if not count or not others:
        return np.nan
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * others))


def average_precision(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area under the precision-recall curve, as a sum of steps: precision times gain of recall.

    Args:
        scores (np.ndarray): Finite, float of shape (n,).
        positive (np.ndarray): Class of each, bool of shape (n,).

    Returns:
        float: From 0 to 1; NaN without a positive. The share of positives is that of guessing.
    """
    found, false = operating_points(scores, positive)
    if not found[-1]:
        return np.nan
    precision = found / (found + false)
    return float((precision * np.diff(found, prepend=0)).sum() / found[-1])


def operating_points(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts at every threshold that the scores allow, from the strictest to the laxest.

    Args:
        scores (np.ndarray): Finite, float of shape (n,), at least one.
        positive (np.ndarray): Class of each, bool of shape (n,).

    Returns:
        tuple[np.ndarray, np.ndarray]: True and false positives if all that score at least as high
        as each distinct score are called positive, int of shape (distinct scores,).
    """
    order = np.argsort(-scores)
    last_of_ties = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    found = np.cumsum(positive[order])[last_of_ties]
    return found, last_of_ties + 1 - found
