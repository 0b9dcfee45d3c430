"""Metric for a predicted class out of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from echocardmae_mm.evaluation.discrimination import auroc, mean_ranks
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.evaluation.prediction_metric import (
    PredictionMetric,
    Summary,
    class_probabilities,
    video_of,
)
from echocardmae_mm.registry import METRICS
from echocardmae_mm.utils.errors import UserError


@METRICS.register_module()
class MultiClassMetric(PredictionMetric):
    """Accuracy, sensitivity of each class and AUROC, each with its interval.

    The balanced accuracy is the mean sensitivity, and ``auroc`` the mean over the classes, each
    against all others. There are no intervals with ``n_resamples=0`` (validation during training).

    Args:
        **kwargs (Any): Arguments of :class:`PredictionMetric`: ``n_resamples``, ``seed``,
            ``collect_device``.
    """

    default_prefix = 'classes'
    labels = {
        'accuracy': 'accuracy (%)',
        'balanced_accuracy': 'balanced accuracy (%)',
        'auroc': 'AUROC, mean over classes',
        'accuracy_of_majority': 'accuracy of predicting the majority class (%)',
    }

    def row(self, sample: dict) -> dict[str, Any]:
        """True class, predicted class, and probability of each class.

        Args:
            sample (dict): With ``gt_label``, int of shape (1,), and ``pred_score``, probabilities
                of shape (K,), such as from MMAction2's heads with ``average_clips='prob'``.

        Returns:
            dict: ``label`` and ``predicted`` (0 to K - 1; NaN if a score is), ``score_0``, ...

        Raises:
            UserError: If the model does not predict probabilities, or the label is no class.
        """
        video = video_of(sample)
        scores, label = class_probabilities(sample), sample['gt_label'].item()
        if not 0 <= label < len(scores):
            raise UserError(f'{video}: its label is {label}; expected 0 to {len(scores) - 1}')
        predicted = int(scores.argmax()) if np.isfinite(scores).all() else np.nan
        by_class = {f'score_{index}': score for index, score in enumerate(scores)}
        return {'label': label, 'predicted': predicted, **by_class}

    def summarise(self, predictions: pd.DataFrame) -> Summary:
        """Statistics of a table with ``patient``, ``label``, ``predicted`` and the scores.

        Returns:
            dict[str, float | Interval]: ``n``, ``patients``, those of :attr:`labels`,
            ``sensitivity_<class>`` in per cent, and ``count_<true>_<predicted>``. NaN if undefined.
        """
        labels = predictions['label'].to_numpy()
        predicted = predictions['predicted'].to_numpy(np.float64)
        scores = predictions.filter(regex=r'^score_\d+$').to_numpy(np.float64)
        classes = range(scores.shape[1])
        counts = {
            f'count_{true}_{found}': int(((labels == true) & (predicted == found)).sum())
            for true in classes
            for found in classes
        }
        return {
            **self._with_intervals(
                lambda rows: _statistics(labels[rows], predicted[rows], scores[rows]), predictions
            ),
            **counts,
        }

    def report(self) -> str:
        """Format the statistics and the confusion matrix."""
        statistics = self.statistics
        classes = range(sum(name.startswith('sensitivity_') for name in statistics))
        names = self._class_names(len(classes))
        labels = self.labels | {
            f'sensitivity_{index}': f'sensitivity: {names[index]} (%)' for index in classes
        }
        confusion = markdown_table(
            ('', *(f'predicted {name}' for name in names)),
            [
                (names[true], *(statistics[f'count_{true}_{found}'] for found in classes))
                for true in classes
            ],
        )
        return f'{self._main_table(labels)}\n\n{confusion}'

    def _class_names(self, count: int) -> Sequence[str]:
        names = (self.dataset_meta or {}).get('classes') or ()
        return names if len(names) == count else [f'class {index}' for index in range(count)]


def _statistics(labels: np.ndarray, predicted: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    classes = range(scores.shape[1])
    right = np.where(np.isnan(predicted), np.nan, predicted == labels)
    sensitivities = [_mean(100 * right[labels == index]) for index in classes]
    counts = np.bincount(labels, minlength=len(classes))
    is_finite = np.isfinite(scores).all()
    aurocs = [
        auroc(mean_ranks(scores[:, index]), labels == index) if is_finite else np.nan
        for index in classes
    ]
    return {
        'accuracy': _mean(100 * right),
        'balanced_accuracy': float(np.mean(sensitivities)),
        'auroc': float(np.mean(aurocs)),
        'accuracy_of_majority': float(100 * counts.max() / len(labels)),
        **{f'sensitivity_{index}': value for index, value in enumerate(sensitivities)},
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan
