"""How well structures are segmented, in the figures of the paper and in those of its rivals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from echocardmae_mm.evaluation.bootstrap import Interval, bootstrap_intervals
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.evaluation.prediction_metric import PredictionMetric
from echocardmae_mm.evaluation.seg_plots import area_agreement, dice_by_instant
from echocardmae_mm.evaluation.seg_statistics import (
    distance_row,
    missed,
    overlap_row,
    seg_statistics,
    structures_of,
)
from echocardmae_mm.evaluation.simpson import VENTRICLE, simpson_ef, simpson_row
from echocardmae_mm.registry import METRICS

_IGNORED = 255
_NAMES = {
    'dice_pooled': 'Dice, all pixels pooled',
    'iou_pooled': 'IoU, all pixels pooled',
    'dice_mean': 'Dice, mean over images',
    'iou_mean': 'IoU, mean over images',
    'hd95_px': 'HD95 (pixels)',
    'assd_px': 'ASSD (pixels)',
    'hd95_mm': 'HD95 (mm)',
    'assd_mm': 'ASSD (mm)',
}
_DISKS = {
    'simpson_ef/mae': 'MAE of predicted masks (points)',
    'simpson_ef/bias': 'bias of predicted masks (points)',
    'simpson_ef/r': 'Pearson r of predicted masks',
    'simpson_ef/mae_of_true_masks': 'MAE of the true masks (points)',
    'simpson_ef/bias_of_true_masks': 'bias of the true masks (points)',
    'simpson_ef/patients': 'patients of whom no mask is empty',
}
_GROUPS = {'instant': ('ED', 'ES'), 'view': ('2CH', '4CH')}


@METRICS.register_module()
class EchoSegMetric(PredictionMetric):
    """Dice and IoU, both pooled and as means over images, and distances of the surfaces.

    The paper's mDice and mIoU are **pooled**: overlap and sizes are summed over the data set before
    they are divided, as ``yangdl``'s metric in the released code does. Its rivals (MemSAM, SAMUS)
    print **means over images**, which weigh small structures more. Both are given, and named.

    Predictions are compared at the size of the recording. Where a structure is neither predicted
    nor there, Dice and IoU of that image are not defined and left out of the means; where it is
    missed or invented, they are 0 and its distances are not defined. The table of predictions holds
    a row an image, so that anything else can be computed from it.

    Args:
        distances (bool): Whether HD95, ASSD and the ventricle's disks are measured; at the native
            size of CAMUS that takes a while. Defaults to True.
        network_size (tuple[int, int], optional): Width and height at which Dice and IoU are given
            too, as ``network/...``: papers often compare labels that were shrunk. Both masks are
            sampled at the pixels' centres. Defaults to None.
        **kwargs (Any): Of :class:`PredictionMetric`: ``n_resamples``, ``seed``.
    """

    default_prefix = 'seg'
    labels = dict(_NAMES)

    def __init__(
        self, distances: bool = True, network_size: tuple[int, int] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.distances = distances
        self.network_size = network_size

    def row(self, sample: dict) -> dict[str, Any]:
        """Leakage and distances of each structure.

        Args:
            sample (dict): With ``pred_sem_seg`` and ``gt_sem_seg`` of shape (1, H, W), or (T, H, W)
                of a clip with ``frame_inds`` and the ``frame`` that counts.

        Returns:
            dict: ``frame``, ``instant``, ``ef``, ``<structure>/...`` and, with the distances, the
            ventricle's ``disks_predicted`` and ``disks_true``.
        """
        own = _place_of_own_frame(sample)
        predicted, true = (
            np.asarray(sample[name]['data'].cpu())[own] for name in ('pred_sem_seg', 'gt_sem_seg')
        )
        row: dict[str, Any] = {name: sample.get(name) for name in ('frame', 'instant', 'ef')}
        for name, masks in self._masks(predicted, true):
            row.update(overlap_row(*masks, f'{name}/'))
            if self.distances:
                row.update(distance_row(*masks, sample.get('spacing'), f'{name}/'))
            if self.distances and name == VENTRICLE:
                row.update(simpson_row(*masks, sample.get('spacing')))
        if self.network_size:
            small = (_sampled(labels, self.network_size) for labels in (predicted, true))
            for name, masks in self._masks(*small):
                row.update(overlap_row(*masks, f'network/{name}/'))
        return row

    def summarise(self, predictions: pd.DataFrame) -> dict[str, float | Interval]:
        """Statistics of a table of images.

        Args:
            predictions (pd.DataFrame): As :meth:`row` makes its rows, with ``patient``.

        Returns:
            dict[str, float | Interval]: As :func:`seg_statistics` names them, with ``ED/``,
            ``ES/``, ``2CH/`` and ``4CH/`` before them where the data set tells these apart; and as
            :func:`simpson_ef` does.
        """
        structures = structures_of(predictions)
        table = {
            name: predictions[name].to_numpy(np.float64) for name in predictions if '/' in name
        }
        groups = {'': np.ones(len(predictions), bool), **_groups(predictions)}
        by_disks = simpson_ef(predictions) if 'disks_true' in predictions else None

        def statistics(rows: np.ndarray) -> dict[str, float]:
            found: dict[str, float] = {}
            for group, members in groups.items():
                values = seg_statistics(table, structures, rows[members[rows]])
                found.update({group + name: value for name, value in values.items()})
            if f'network/{structures[0]}/true' in table:
                found.update(seg_statistics(table, structures, rows, 'network/'))
            if by_disks is not None:
                found.update(by_disks(rows))
            return found

        patients = predictions['patient'].to_numpy()
        counts: dict[str, float | Interval] = {
            'n': len(predictions),
            'patients': len(np.unique(patients)),
            **missed(table, structures),
        }
        if not self.n_resamples:
            return {**counts, **statistics(np.arange(len(predictions)))}
        intervals = bootstrap_intervals(
            statistics, patients, n_resamples=self.n_resamples, seed=self.seed
        )
        return {**counts, **intervals}

    def report(self, statistics: dict[str, Any]) -> str:
        """Statistics in words, as Markdown.

        Args:
            statistics (dict): As :meth:`summarise` returns them.

        Returns:
            str: A table.
        """
        disks = [name for name in _DISKS if np.isfinite(_estimate(statistics.get(name, np.nan)))]
        names = [name for name in _NAMES if np.isfinite(_estimate(statistics.get(name, np.nan)))]
        prefixes = dict.fromkeys(
            name.rpartition('/')[0]
            for name in statistics
            if name.rpartition('/')[2] in _NAMES and '/' in name
        )
        rows = [(self._whole(), *(_cell(statistics[name]) for name in names))]
        for prefix in prefixes:
            label = prefix.replace('_', ' ').replace('/', ', ')
            cells = (statistics.get(f'{prefix}/{name}', np.nan) for name in names)
            rows.append((label, *(_cell(value) for value in cells)))
        head = f'{statistics["n"]} images of {statistics["patients"]} patients'
        overlaps = markdown_table((head, *(_NAMES[name] for name in names)), rows)
        lost = sum(value for name, value in statistics.items() if name.endswith('missed'))
        overlaps += f'\n\n{lost} structures missed or invented: without distances, their Dice is 0'
        if not disks:
            return overlaps
        of_volumes = [(_DISKS[name], _cell(statistics[name])) for name in disks]
        return f'{overlaps}\n\n{markdown_table(("ejection fraction by disks", ""), of_volumes)}'

    def plots(self, predictions: pd.DataFrame) -> dict[str, Figure]:
        """Pictures of a table of images.

        Args:
            predictions (pd.DataFrame): As :meth:`summarise` takes it.

        Returns:
            dict[str, Figure]: ``dice``, ``area``.
        """
        names = structures_of(predictions)
        return {
            'dice': dice_by_instant(predictions, names),
            'area': area_agreement(predictions, names),
        }

    def _whole(self) -> str:
        structures = (self.dataset_meta or {}).get('classes', ())[1:]
        return structures[0] if len(structures) == 1 else 'mean over structures'

    def _masks(
        self, predicted: np.ndarray, true: np.ndarray
    ) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
        """Each structure's name with its predicted and its true mask."""
        assert self.dataset_meta is not None
        for label, name in enumerate(self.dataset_meta['classes'][1:], start=1):
            counted = (predicted == label) & (true != _IGNORED)
            yield name.replace(' ', '_'), (counted, true == label)


def _sampled(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(labels.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT)


def _place_of_own_frame(sample: dict) -> int:
    if 'frame_inds' not in sample:
        return 0
    return int(np.flatnonzero(np.ravel(sample['frame_inds']) == sample['frame'])[0])


def _groups(predictions: pd.DataFrame) -> dict[str, np.ndarray]:
    groups = {}
    for column, values in _GROUPS.items():
        there = [v for v in values if column in predictions and (predictions[column] == v).any()]
        if len(there) > 1:
            groups.update({f'{v}/': (predictions[column] == v).to_numpy() for v in there})
    return groups


def _estimate(value: float | Interval) -> float:
    return value.estimate if isinstance(value, Interval) else value


def _cell(value: float | Interval) -> str:
    estimate, low, high = value if isinstance(value, Interval) else (value, np.nan, np.nan)
    if not np.isfinite(estimate):
        return ''
    return f'{estimate:.3f} [{low:.3f}, {high:.3f}]' if np.isfinite(low) else f'{estimate:.3f}'
