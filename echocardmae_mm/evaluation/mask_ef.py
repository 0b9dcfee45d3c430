"""Ejection fraction from the masks of end-diastole and end-systole."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from .ef_statistics import pearson_r
from .volumes import ejection_fraction, largest_part, single_plane_volume

VENTRICLE = 'left_ventricle'
_VOLUMES = ('volume_predicted', 'volume_true')


def volume_row(
    predicted: np.ndarray, true: np.ndarray, spacing: tuple[float, float] | None
) -> dict[str, float]:
    """Volumes by disks of a predicted and a true ventricle.

    Args:
        predicted (np.ndarray): bool of shape (H, W).
        true (np.ndarray): bool of shape (H, W).
        spacing (tuple[float, float], optional): Height and width of a pixel in mm.

    Returns:
        dict[str, float]: ``volume_predicted`` and ``volume_true``, mL, or cubic pixels without a
        spacing.
    """
    masks = zip(_VOLUMES, (predicted, true))
    return {name: single_plane_volume(largest_part(mask), spacing) for name, mask in masks}


def ef_by_disks(table: pd.DataFrame) -> Callable[[np.ndarray], dict[str, float]]:
    """Ejection fractions of a table of images that holds end-diastole and end-systole.

    Args:
        table (pd.DataFrame): Columns ``patient``, ``view`` if there are several, ``video`` if a
            patient has several, ``instant`` ('ED' or 'ES'), ``volume_predicted``, ``volume_true``
            and ``ef`` in per cent, the truth; without it that of the true masks.

    Returns:
        Callable: Of rows (int64) to ``ef_by_disks/mae``, ``/bias`` and ``/r`` of the predicted
        masks, ``/mae_of_true_masks`` and ``/bias_of_true_masks``, in points of EF; NaN without any
        pair.
    """
    predicted, of_masks, truth = (np.full(len(table), np.nan) for _ in range(3))
    keys = [name for name in ('patient', 'view') if name in table]
    rows = table.reset_index(drop=True)
    for _, pair in rows.groupby(keys, sort=False):
        instants = dict(list(pair.groupby('instant', sort=False)))
        if {len(instants.get(name, ())) for name in ('ED', 'ES')} != {1}:
            continue
        ed, es = instants['ED'].iloc[0], instants['ES'].iloc[0]
        place = instants['ED'].index[0]
        predicted[place], of_masks[place] = (
            ejection_fraction(ed[name], es[name]) for name in _VOLUMES
        )
        stated = ed.get('ef')
        known = stated is not None and np.isfinite(stated)
        truth[place] = stated if known else of_masks[place]

    def statistics(chosen: np.ndarray) -> dict[str, float]:
        there = chosen[np.isfinite(predicted[chosen]) & np.isfinite(truth[chosen])]
        if not len(there):
            return {}
        error, of_true = (values[there] - truth[there] for values in (predicted, of_masks))
        return {
            'ef_by_disks/mae': float(np.abs(error).mean()),
            'ef_by_disks/bias': float(error.mean()),
            'ef_by_disks/r': pearson_r(predicted[there], truth[there]),
            'ef_by_disks/mae_of_true_masks': float(np.abs(of_true).mean()),
            'ef_by_disks/bias_of_true_masks': float(of_true.mean()),
        }

    return statistics
