"""Statistics of a predicted diagnosis: those in Table 4 of the paper, and more."""

from __future__ import annotations

import numpy as np

from echocardmae_mm.evaluation.discrimination import auroc, average_precision, mean_ranks

#: Lowest probability that is classified as positive.
THRESHOLD = 0.5
#: Statistics in the order of a report, with their labels.
LABELS = {
    'sensitivity': 'sensitivity (%)',
    'specificity': 'specificity (%)',
    'precision': 'precision (%)',
    'f1': 'F1 (%)',
    'accuracy': 'accuracy (%)',
    'auroc': 'AUROC',
    'auprc': 'AUPRC',
    'brier': 'Brier score',
    'accuracy_of_majority': 'accuracy of predicting the majority class (%)',
    'f1_of_all_positive': 'F1 of predicting all positive (%)',
}


def diagnosis_statistics(positive: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """Agreement between predicted and true class, and results of constant predictions.

    Args:
        positive (np.ndarray): Whether each recording is positive, bool of shape (n,), n > 0.
        scores (np.ndarray): Probability of the positive class, from 0 to 1, float of shape (n,).

    Returns:
        dict[str, float]: In per cent, at a threshold of 0.5: ``sensitivity`` (recall),
        ``specificity``, ``precision`` (positive predictive value), ``f1``, ``accuracy``. As
        fractions, from the scores: ``auroc``, ``auprc`` (average precision) and ``brier``, the mean
        squared difference between probability and truth (0.25 for a constant 0.5). In per cent:
        ``accuracy_of_majority``, of always predicting the more frequent class;
        ``f1_of_all_positive``, of always predicting positive. NaN if undefined; all are NaN if any
        score is.

    Example:
        >>> positive, scores = np.array([True, True, False]), np.array([0.9, 0.4, 0.2])
        >>> statistics = diagnosis_statistics(positive, scores)
        >>> statistics['sensitivity'], statistics['specificity'], statistics['auroc']
        (50.0, 100.0, 1.0)
    """
    if not np.isfinite(scores).all():
        return dict.fromkeys(LABELS, np.nan)
    predicted = scores >= THRESHOLD
    n, positives, predicted_positives = len(positive), int(positive.sum()), int(predicted.sum())
    tp = int((predicted & positive).sum())
    tn = n - positives - predicted_positives + tp
    values = (
        _per_cent(tp, positives),
        _per_cent(tn, n - positives),
        _per_cent(tp, predicted_positives),
        _per_cent(2 * tp, positives + predicted_positives),
        _per_cent(tp + tn, n),
        auroc(mean_ranks(scores), positive),
        average_precision(scores, positive),
        float(np.square(scores - positive).mean()),
        _per_cent(max(positives, n - positives), n),
        _per_cent(2 * positives, positives + n) if positives else np.nan,
    )
    return dict(zip(LABELS, values))


def _per_cent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else np.nan
