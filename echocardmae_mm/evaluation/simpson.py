"""Compute ejection fractions by Simpson's method of disks, from masks at both instants."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from echocardmae_mm.evaluation.ef_statistics import pearson_r
from echocardmae_mm.evaluation.volumes import (
    LongAxis,
    ejection_fraction,
    largest_part,
    long_axis,
    sum_of_disks,
)

VENTRICLE = 'left_ventricle'
#: Statistics in the order of a report, with their labels.
LABELS = {
    'simpson_ef/mae': 'MAE of predicted masks (points)',
    'simpson_ef/bias': 'bias of predicted masks (points)',
    'simpson_ef/r': 'Pearson r of predicted masks',
    'simpson_ef/mae_of_true_masks': 'MAE of true masks (points)',
    'simpson_ef/bias_of_true_masks': 'bias of true masks (points)',
    'simpson_ef/patients': 'patients without empty masks',
}
_DISKS = ('disks_predicted', 'disks_true')


def simpson_row(
    predicted: np.ndarray, true: np.ndarray, spacing: tuple[float, float] | None
) -> dict[str, str]:
    """Disks of a predicted and a true ventricle, which determine the volume.

    Args:
        predicted (np.ndarray): bool of shape (H, W).
        true (np.ndarray): bool of shape (H, W).
        spacing (tuple[float, float], optional): Height and width of a pixel in mm.

    Returns:
        dict[str, str]: ``disks_predicted`` and ``disks_true``: the length of the long axis, then
        the diameters, apex first. In mm, or in pixels without a spacing; '' for an empty mask.
    """
    axes = (long_axis(largest_part(mask), spacing or (1.0, 1.0)) for mask in (predicted, true))
    return {name: _as_text(axis) for name, axis in zip(_DISKS, axes)}


def simpson_ef(table: pd.DataFrame) -> Callable[[np.ndarray], dict[str, float]]:
    """Statistics of the ejection fractions of a table of images.

    Biplane for patients with both apical views, single-plane for others.

    Args:
        table (pd.DataFrame): Columns ``patient``, ``view`` if there are several, ``instant`` ('ED'
            or 'ES'), ``disks_predicted``, ``disks_true`` and ``ef``, the true EF in per cent. The
            EF from the true masks replaces a missing EF.

    Returns:
        Callable: Maps rows (int64) to ``simpson_ef/mae``, ``/bias`` and ``/r`` of the predicted
        masks, ``/mae_of_true_masks`` and ``/bias_of_true_masks``, in points of EF, and
        ``/patients``, the number of patients without empty masks. NaN if there is no such patient.
    """
    predicted, of_masks, truth = (np.full(len(table), np.nan) for _ in range(3))
    for _, images in table.reset_index(drop=True).groupby('patient', sort=False):
        at = {instant: images[images['instant'] == instant] for instant in ('ED', 'ES')}
        views = [list(part.get('view', range(len(part)))) for part in at.values()]
        if not views[0] or len(views[0]) > 2 or views[0] != views[1]:
            continue
        index = at['ED'].index[0]
        predicted[index], of_masks[index] = (
            ejection_fraction(*(_volume(part[name]) for part in at.values())) for name in _DISKS
        )
        stated = at['ED'].iloc[0].get('ef')
        known = stated is not None and np.isfinite(stated)
        truth[index] = stated if known else of_masks[index]

    def statistics(chosen: np.ndarray) -> dict[str, float]:
        rows = chosen[np.isfinite(predicted[chosen]) & np.isfinite(truth[chosen])]
        if not len(rows):
            return dict.fromkeys(LABELS, np.nan)
        error, of_true = (values[rows] - truth[rows] for values in (predicted, of_masks))
        values = (
            np.abs(error).mean(),
            error.mean(),
            pearson_r(predicted[rows], truth[rows]),
            np.abs(of_true).mean(),
            of_true.mean(),
            len(rows),
        )
        return {name: float(value) for name, value in zip(LABELS, values)}

    return statistics


def _volume(disks: pd.Series) -> float:
    axes = [_from_text(text) for text in disks]
    return np.nan if None in axes else sum_of_disks(axes[0], axes[-1])


def _as_text(axis: LongAxis | None) -> str:
    return '' if axis is None else ' '.join(f'{x:.3f}' for x in (axis.length, *axis.diameters))


def _from_text(text: str | float) -> LongAxis | None:
    if not isinstance(text, str) or not text:
        return None  # pandas reads an empty cell as NaN.
    length, *diameters = map(float, text.split())
    return LongAxis(length, np.array(diameters))
