"""Statistics of a predicted diagnosis: the figures of Table 4 of the paper, and what they lack."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from echocardmae_mm.evaluation.discrimination import auroc, average_precision

#: Probability from which on a recording is called positive.
THRESHOLD = 0.5
_NAMES = (
    'sensitivity',
    'specificity',
    'precision',
    'f1',
    'accuracy',
    'auroc',
    'auprc',
    'brier',
    'accuracy_of_majority',
    'f1_of_all_positive',
)


def diagnosis_statistics(positive: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """Agreement of the predicted with the true class; what constants reach beside it.

    Args:
        positive (np.ndarray): Whether each recording is positive, bool of shape (n,), n > 0.
        scores (np.ndarray): Probability of the positive class, from 0 to 1, float of shape (n,).

    Returns:
        dict[str, float]: In per cent, at a threshold of 0.5: ``sensitivity`` (recall),
        ``specificity``, ``precision`` (positive predictive value), ``f1``, ``accuracy``. As
        fractions, of the scores themselves: ``auroc``, ``auprc`` (average precision), ``brier``,
        the mean squared distance of probability and truth, 0.25 for always 0.5. In per cent:
        ``accuracy_of_majority``, of naming the more frequent class for each; and
        ``f1_of_all_positive``, of calling each positive. NaN where a statistic is not defined, and
        all of them NaN if a score is.
    """
    if not np.isfinite(scores).all():
        return dict.fromkeys(_NAMES, np.nan)
    called = scores >= THRESHOLD
    n, positives, called_positive = len(positive), int(positive.sum()), int(called.sum())
    tp = int((called & positive).sum())
    tn = n - positives - called_positive + tp
    figures = (
        _per_cent(tp, positives),
        _per_cent(tn, n - positives),
        _per_cent(tp, called_positive),
        _per_cent(2 * tp, positives + called_positive),
        _per_cent(tp + tn, n),
        auroc(rankdata(scores), positive),
        average_precision(scores, positive),
        float(np.square(scores - positive).mean()),
        _per_cent(max(positives, n - positives), n),
        _per_cent(2 * positives, positives + n) if positives else np.nan,
    )
    return dict(zip(_NAMES, figures))


def _per_cent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else np.nan
