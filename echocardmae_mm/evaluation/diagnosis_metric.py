"""Metric for a predicted diagnosis, such as myocardial infarction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from echocardmae_mm.evaluation.diagnosis_plots import (
    calibration,
    confusion_matrix,
    roc_and_precision_recall,
)
from echocardmae_mm.evaluation.diagnosis_statistics import LABELS, THRESHOLD, diagnosis_statistics
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.evaluation.prediction_metric import (
    PredictionMetric,
    Summary,
    class_probabilities,
    finite_rows,
    video_of,
)
from echocardmae_mm.registry import METRICS
from echocardmae_mm.utils.errors import UserError


@METRICS.register_module()
class DiagnosisMetric(PredictionMetric):
    """Sensitivity, specificity and further statistics of a test, each with its interval.

    Reports :func:`diagnosis_statistics` and counts of recordings, patients, classes and the
    confusion matrix. Class 1 is positive. There are no intervals with ``n_resamples=0`` (validation
    during training).

    Args:
        **kwargs (Any): Arguments of :class:`PredictionMetric`: ``n_resamples``, ``seed``,
            ``collect_device``.
    """

    default_prefix = 'diagnosis'
    labels = LABELS

    def row(self, sample: dict) -> dict[str, Any]:
        """True class, probability of the positive class, and predicted class.

        Args:
            sample (dict): With ``gt_label``, int of shape (1,), and ``pred_score``, probabilities
                of shape (2,), such as from MMAction2's heads with ``average_clips='prob'``.

        Returns:
            dict: ``label`` (0 or 1), ``score`` (0 to 1), ``predicted`` (0 or 1; NaN if the score
            is NaN).

        Raises:
            UserError: If the model does not predict probabilities of two classes, or the label is
                neither 0 nor 1.
        """
        video = video_of(sample)
        count, label = sample['pred_score'].shape[-1], sample['gt_label'].item()
        if count != 2:
            raise UserError(
                f'{video}: the model predicts {count} classes, expected 2\n'
                'Set num_classes=2 in cls_head'
            )
        score = float(class_probabilities(sample)[1])
        if label not in (0, 1):
            raise UserError(f'{video}: its label is {label}; expected 0 or 1 (positive)')
        predicted = int(score >= THRESHOLD) if np.isfinite(score) else np.nan
        return {'label': label, 'score': score, 'predicted': predicted}

    def summarise(self, predictions: pd.DataFrame) -> Summary:
        """Statistics of a table with ``patient``, ``label``, ``score`` and ``predicted``.

        Returns:
            dict[str, float | Interval]: :func:`diagnosis_statistics`, and the counts ``n``,
            ``patients``, ``positives``, ``negatives``, ``tp``, ``fp``, ``tn`` and ``fn``.
        """
        positive = predictions['label'].to_numpy() == 1
        scores = predictions['score'].to_numpy(np.float64)
        predicted = predictions['predicted'].to_numpy(np.float64)
        return {
            **self._with_intervals(
                lambda rows: diagnosis_statistics(positive[rows], scores[rows]), predictions
            ),
            'positives': int(positive.sum()),
            'negatives': int((~positive).sum()),
            'tp': int((positive & (predicted == 1)).sum()),
            'fp': int((~positive & (predicted == 1)).sum()),
            'tn': int((~positive & (predicted == 0)).sum()),
            'fn': int((positive & (predicted == 0)).sum()),
        }

    def report(self) -> str:
        """Format the statistics, the confusion matrix and the weight of one recording."""
        statistics = self.statistics
        confusion = markdown_table(
            ('', 'predicted positive', 'predicted negative', 'all'),
            [
                ('positive', statistics['tp'], statistics['fn'], statistics['positives']),
                ('negative', statistics['fp'], statistics['tn'], statistics['negatives']),
            ],
        )
        weight = f'One recording changes the accuracy by {100 / statistics["n"]:.2f} points.'
        return f'{self._main_table(self.labels)}\n\n{confusion}\n\n{weight}'

    def remark_on_folds(self, means: Mapping[str, float]) -> str:
        """Describe the weight of one recording in a fold of mean size."""
        weights = [
            f'one of its {means[group]:.4g} {group} changes {name} by {100 / means[group]:.1f}'
            for group, name in (('positives', 'sensitivity'), ('negatives', 'specificity'))
            if means[group]
        ]
        of_accuracy = (
            f'On average, one recording changes the accuracy of a fold of {means["n"]:.4g} by '
            f'{100 / means["n"]:.1f} points'
        )
        return f'{"; ".join([of_accuracy, *weights])}.'

    def plots(self, predictions: pd.DataFrame) -> dict[str, Figure]:
        """``confusion``, ``calibration`` and, if both classes occur, ``roc``."""
        finite = finite_rows(predictions, 'score')
        if finite.empty:
            return {}
        positive = finite['label'].to_numpy() == 1
        scores = finite['score'].to_numpy(np.float64)
        plots = {
            'confusion': confusion_matrix(positive, scores),
            'calibration': calibration(positive, scores),
        }
        if positive.any() and not positive.all():
            plots['roc'] = roc_and_precision_recall(positive, scores)
        return plots
