"""How well a diagnosis is predicted, such as myocardial infarction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from echocardmae_mm.evaluation.bootstrap import Interval, bootstrap_intervals, interval_cells
from echocardmae_mm.evaluation.diagnosis_plots import (
    calibration,
    confusion_matrix,
    roc_and_precision_recall,
)
from echocardmae_mm.evaluation.diagnosis_statistics import THRESHOLD, diagnosis_statistics
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.evaluation.prediction_metric import PredictionMetric, drawable
from echocardmae_mm.registry import METRICS
from echocardmae_mm.utils.errors import UserError


@METRICS.register_module()
class DiagnosisMetric(PredictionMetric):
    """Sensitivity, specificity and what else is asked of a test, each with its interval.

    Of :func:`diagnosis_statistics`, in per cent where Table 4 of the paper prints per cent; counts
    of recordings, patients, classes and of the confusion matrix. Class 1 is positive. Without
    n_resamples (validation while training) the same without intervals.

    Args:
        **kwargs (Any): Of :class:`PredictionMetric`: ``n_resamples``, ``seed``, ``collect_device``.
    """

    default_prefix = 'diagnosis'
    labels = {
        'sensitivity': 'sensitivity (%)',
        'specificity': 'specificity (%)',
        'precision': 'precision (%)',
        'f1': 'F1 (%)',
        'accuracy': 'accuracy (%)',
        'auroc': 'AUROC',
        'auprc': 'AUPRC',
        'brier': 'Brier score',
        'accuracy_of_majority': 'accuracy of naming the larger class (%)',
        'f1_of_all_positive': 'F1 of calling all positive (%)',
    }

    def row(self, sample: dict) -> dict[str, Any]:
        """True class, probability of the positive one, and what it is called.

        Args:
            sample (dict): With ``gt_label``, int of shape (1,), and ``pred_score``, probabilities
                of shape (2,), as the heads of MMAction2 give it with ``average_clips='prob'``.

        Returns:
            dict: ``label`` (0 or 1), ``score`` (0 to 1), ``predicted`` (0 or 1; NaN if the score
            is).

        Raises:
            UserError: If the model has not two classes or gives no probabilities, or the label is
                neither 0 nor 1.
        """
        video = Path(sample['filename']).name
        scores = np.asarray(sample['pred_score'].cpu(), np.float64)
        label = sample['gt_label'].item()
        if scores.shape[-1] != 2:
            raise UserError(
                f'{video}: the model tells {scores.shape[-1]} classes, a diagnosis has 2\n'
                'Set num_classes=2 in cls_head'
            )
        if scores.ndim > 1 or scores.min() < 0 or abs(scores.sum() - 1) > 1e-2:
            raise UserError(
                f"{video}: the model's scores are no probabilities of the recording\n"
                "Set average_clips='prob' in cls_head"
            )
        if label not in (0, 1):
            raise UserError(f'{video}: its label is {label}; expected 0 or 1, the positive class')
        score = float(scores[1])
        predicted = int(score >= THRESHOLD) if np.isfinite(score) else np.nan
        return {'label': label, 'score': score, 'predicted': predicted}

    def summarise(self, predictions: pd.DataFrame) -> dict[str, float | Interval]:
        """Statistics of a table of predictions.

        Args:
            predictions (pd.DataFrame): With ``patient``, ``label``, ``score`` and ``predicted``.

        Returns:
            dict[str, float | Interval]: As :func:`diagnosis_statistics` names them; and the counts
            ``n``, ``patients``, ``positives``, ``negatives``, ``tp``, ``fp``, ``tn``, ``fn``.
        """
        positive = predictions['label'].to_numpy() == 1
        scores = predictions['score'].to_numpy(np.float64)
        predicted = predictions['predicted'].to_numpy(np.float64)
        patients = predictions['patient'].to_numpy()
        counts: dict[str, float | Interval] = {
            'n': len(predictions),
            'patients': len(np.unique(patients)),
            'positives': int(positive.sum()),
            'negatives': int((~positive).sum()),
            'tp': int((positive & (predicted == 1)).sum()),
            'fp': int((~positive & (predicted == 1)).sum()),
            'tn': int((~positive & (predicted == 0)).sum()),
            'fn': int((positive & (predicted == 0)).sum()),
        }
        if not self.n_resamples:
            return {**counts, **diagnosis_statistics(positive, scores)}
        intervals = bootstrap_intervals(
            lambda rows: diagnosis_statistics(positive[rows], scores[rows]),
            patients,
            n_resamples=self.n_resamples,
            seed=self.seed,
        )
        return {**counts, **intervals}

    def report(self, statistics: dict[str, Any]) -> str:
        """Statistics in words, as Markdown.

        Args:
            statistics (dict): As :meth:`summarise` returns them.

        Returns:
            str: The figures, the confusion matrix, and what one recording weighs.
        """
        n = statistics['n']
        figures = markdown_table(
            (f'{n} recordings of {statistics["patients"]} patients', '', '95 %'),
            [(label, *interval_cells(statistics[name])) for name, label in self.labels.items()],
        )
        confusion = markdown_table(
            ('', 'predicted positive', 'predicted negative', 'all'),
            [
                ('positive', statistics['tp'], statistics['fn'], statistics['positives']),
                ('negative', statistics['fp'], statistics['tn'], statistics['negatives']),
            ],
        )
        weight = f'One recording is {100 / n:.2f} points of accuracy here.'
        return f'{figures}\n\n{confusion}\n\n{weight}'

    def remark_on_folds(self, means: Mapping[str, float]) -> str:
        """What one recording weighs in a fold of mean size.

        Args:
            means (Mapping[str, float]): With ``n``, ``positives`` and ``negatives``.

        Returns:
            str: A sentence.
        """
        weights = [
            f'one of its {means[group]:.4g} {group} moves {figure} by {100 / means[group]:.1f}'
            for group, figure in (('positives', 'sensitivity'), ('negatives', 'specificity'))
            if means[group]
        ]
        of_accuracy = (
            f'On average, one recording moves a fold of {means["n"]:.4g} by '
            f'{100 / means["n"]:.1f} points of accuracy'
        )
        return f'{"; ".join([of_accuracy, *weights])}.'

    def plots(self, predictions: pd.DataFrame) -> dict[str, Figure]:
        """Pictures of a table of predictions.

        Args:
            predictions (pd.DataFrame): As :meth:`summarise` takes it.

        Returns:
            dict[str, Figure]: ``confusion``, ``calibration`` and, of two classes, ``roc``.
        """
        drawn = drawable(predictions, 'score')
        if drawn.empty:
            return {}
        positive = drawn['label'].to_numpy() == 1
        scores = drawn['score'].to_numpy(np.float64)
        pictures = {
            'confusion': confusion_matrix(positive, scores),
            'calibration': calibration(positive, scores),
        }
        if positive.any() and not positive.all():
            pictures['roc'] = roc_and_precision_recall(positive, scores)
        return pictures
