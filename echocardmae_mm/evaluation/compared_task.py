"""Define the statistics of a comparison of two models, by task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from echocardmae_mm.evaluation.diagnosis_metric import DiagnosisMetric
from echocardmae_mm.evaluation.diagnosis_statistics import diagnosis_statistics
from echocardmae_mm.evaluation.ef_metric import EFMetric
from echocardmae_mm.evaluation.ef_statistics import ef_statistics
from echocardmae_mm.evaluation.seg_metric import EchoSegMetric
from echocardmae_mm.evaluation.seg_statistics import (
    COUNTS,
    DISTANCES,
    OVERLAPS,
    seg_statistics,
    structures_of,
)

_EF = ('mae', 'rmse', 'r2', 'r', 'bias', 'auroc_below_50')
_DIAGNOSIS = ('auroc', 'accuracy', 'sensitivity', 'specificity', 'precision', 'f1')
_SEGMENTATION = ('dice_pooled', 'iou_pooled', 'dice_mean', 'iou_mean', 'hd95_px', 'assd_px')


class ComparedTask(NamedTuple):
    """A task and the columns of its table of predictions.

    Args:
        key (tuple[str, ...]): Columns that identify a row.
        needed (tuple[str, ...]): Numeric columns without missing values.
        truth (tuple[str, ...]): Columns that must be equal for both models.
        labels (dict[str, str]): Labels of the compared statistics.
        statistics (Callable): Maps columns (float64 of shape (n,)) and rows (int64) to statistics.
    """

    key: tuple[str, ...]
    needed: tuple[str, ...]
    truth: tuple[str, ...]
    labels: dict[str, str]
    statistics: Callable[[Mapping[str, np.ndarray], np.ndarray], dict[str, float]]


def task_of(table: pd.DataFrame) -> ComparedTask:
    """The task of a table of predictions.

    Args:
        table (pd.DataFrame): Table of a :class:`PredictionMetric`.

    Returns:
        ComparedTask: Segmentation for a table with columns ``<structure>/true``, diagnosis for one
        with ``label`` and ``score``, otherwise ejection fraction.
    """
    structures = structures_of(table)
    if not structures and {'label', 'score'} <= set(table):
        return ComparedTask(
            ('patient', 'video'),
            ('label', 'score'),
            ('label',),
            {name: DiagnosisMetric.labels[name] for name in _DIAGNOSIS},
            lambda columns, rows: diagnosis_statistics(
                columns['label'][rows] == 1, columns['score'][rows]
            ),
        )
    if not structures:
        return ComparedTask(
            ('patient', 'video'),
            ('ef', 'prediction'),
            ('ef',),
            {name: EFMetric.labels[name] for name in _EF},
            lambda columns, rows: ef_statistics(columns['ef'][rows], columns['prediction'][rows]),
        )
    measured = all(f'{structures[0]}/{name}' in table for name in DISTANCES[:2])
    names = [name for name in _SEGMENTATION if measured or name not in DISTANCES]
    return ComparedTask(
        ('patient', 'video', 'instant'),
        tuple(f'{structure}/{name}' for structure in structures for name in COUNTS),
        tuple(f'{structure}/true' for structure in structures),
        {name: EchoSegMetric.labels[name] for name in names},
        lambda columns, rows: seg_statistics(columns, structures, rows),
    )


def columns_of(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Columns of a table that the statistics use, float64 of shape (n,)."""
    measures = (*COUNTS, *OVERLAPS, *DISTANCES)
    plain = ('ef', 'prediction', 'label', 'score')
    names = [n for n in table if n in plain or n.rpartition('/')[2] in measures]
    return {name: table[name].to_numpy(np.float64) for name in names}
