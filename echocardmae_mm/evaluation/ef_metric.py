"""Metric for predicted ejection fractions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from echocardmae_mm.evaluation.bootstrap import interval_cells
from echocardmae_mm.evaluation.ef_plots import (
    bland_altman,
    error_by_ef_class,
    predicted_against_true,
)
from echocardmae_mm.evaluation.ef_statistics import (
    EF_CLASSES,
    LOW_EF_THRESHOLDS,
    ef_classes,
    ef_statistics,
    statistics_by_group,
)
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.evaluation.prediction_metric import PredictionMetric, Summary, finite_rows
from echocardmae_mm.registry import METRICS

_QUALITIES = {'quality_good_or_medium': ('good', 'medium'), 'quality_poor': ('poor',)}
_LABELS = {
    'mae': 'MAE',
    'rmse': 'RMSE',
    'r2': 'R2',
    'r': 'Pearson r',
    'slope': 'calibration slope',
    'bias': 'bias (predicted - true)',
    'loa_lower': 'lower limit of agreement',
    'loa_upper': 'upper limit of agreement',
    'mae_of_median': 'MAE of the constant median',
    'mae_ratio': 'MAE / MAE of the constant median',
    **{f'auroc_below_{limit}': f'AUROC of EF < {limit}' for limit in LOW_EF_THRESHOLDS},
}
_GROUPS = {
    **dict(zip(EF_CLASSES, ('EF < 30', 'EF 30 to 40', 'EF 40 to 50', 'EF >= 50'))),
    'quality_good_or_medium': 'image quality good or medium',
    'quality_poor': 'image quality poor',
}


@METRICS.register_module()
class EFMetric(PredictionMetric):
    """Errors, agreement and low-EF detection, each with its interval over patients.

    Reports :func:`ef_statistics` overall; MAE, bias and r by EF class and, if the data set states
    it, by image quality; and ``padded``, the number of recordings shorter than a clip. The error of
    the constant median exposes a model that has learned nothing. With ``n_resamples=0`` (validation
    during training), only the overall statistics are reported.

    Args:
        **kwargs (Any): Arguments of :class:`PredictionMetric`: ``n_resamples``, ``seed``,
            ``collect_device``.
    """

    default_prefix = 'ef'
    labels = {
        **_LABELS,
        **{
            f'{group}/{name}': f'{label}: {_LABELS[name]}'
            for group, label in _GROUPS.items()
            for name in ('mae', 'r')
        },
    }

    def row(self, sample: dict) -> dict[str, Any]:
        """True and predicted EF, and the spread over the clips of the recording.

        Args:
            sample (dict): With ``ef``, ``pred_ef``, ``pred_ef_clips`` and ``padded_frames``.

        Returns:
            dict: ``ef``, ``prediction``, ``clip_sd`` and ``clip_range`` in per cent of EF, the
            latter two NaN for a single clip; ``clips``, the number of clips; ``padded_frames``.
        """
        clips = np.asarray(sample['pred_ef_clips'].cpu(), np.float64)
        return {
            'ef': float(sample['ef']),
            'prediction': float(sample['pred_ef']),
            'clip_sd': float(clips.std(ddof=1)) if len(clips) > 1 else np.nan,
            'clip_range': float(np.ptp(clips)) if len(clips) > 1 else np.nan,
            'clips': len(clips),
            'padded_frames': int(sample.get('padded_frames', 0)),
        }

    def summarise(self, predictions: pd.DataFrame) -> Summary:
        """Statistics of a table with ``patient``, ``ef``, ``prediction`` and ``padded_frames``."""
        ef = predictions['ef'].to_numpy(np.float64)
        predicted = predictions['prediction'].to_numpy(np.float64)
        groups = {}
        if self.n_resamples:
            groups = {**ef_classes(ef), **_quality_groups(predictions)}

        def statistics(rows: np.ndarray) -> dict[str, float]:
            members = {name: group[rows] for name, group in groups.items()}
            return {
                **ef_statistics(ef[rows], predicted[rows]),
                **statistics_by_group(ef[rows], predicted[rows], members),
            }

        return {
            **self._with_intervals(statistics, predictions),
            'padded': int((predictions['padded_frames'] > 0).sum()),
            **{f'{name}/n': int(group.sum()) for name, group in groups.items()},
        }

    def report(self) -> str:
        """Format two tables: overall statistics, and statistics by group."""
        statistics = self.statistics
        groups = markdown_table(
            ('group', 'n', 'MAE', '95 %', 'bias', 'r'),
            [
                (
                    label,
                    statistics[f'{name}/n'],
                    *interval_cells(statistics[f'{name}/mae']),
                    interval_cells(statistics[f'{name}/bias'])[0],
                    interval_cells(statistics[f'{name}/r'])[0],
                )
                for name, label in _GROUPS.items()
                if f'{name}/n' in statistics
            ],
        )
        padded = ''
        if statistics['padded']:
            padded = f'\n\n{statistics["padded"]} recordings, shorter than a clip, were padded.'
        return f'{self._main_table(_LABELS)}\n\n{groups}{padded}'

    def plots(self, predictions: pd.DataFrame) -> dict[str, Figure]:
        """``predicted_against_true``, ``bland_altman`` and ``error_by_ef_class``."""
        finite = finite_rows(predictions, 'prediction')
        if finite.empty:
            return {}
        ef = finite['ef'].to_numpy(np.float64)
        predicted = finite['prediction'].to_numpy(np.float64)
        return {
            'predicted_against_true': predicted_against_true(ef, predicted),
            'bland_altman': bland_altman(ef, predicted),
            'error_by_ef_class': error_by_ef_class(ef, predicted),
        }


def _quality_groups(predictions: pd.DataFrame) -> dict[str, np.ndarray]:
    if 'quality' not in predictions:
        return {}
    quality = predictions['quality'].astype(str).str.lower()
    return {name: quality.isin(members).to_numpy() for name, members in _QUALITIES.items()}
