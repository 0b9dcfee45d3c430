"""Metric for segmented structures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from echocardmae_mm.evaluation.bootstrap import Interval
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.evaluation.prediction_metric import PredictionMetric, Summary
from echocardmae_mm.evaluation.seg_plots import area_agreement, dice_by_instant
from echocardmae_mm.evaluation.seg_statistics import (
    count_missing,
    distance_row,
    overlap_row,
    seg_statistics,
    structures_of,
)
from echocardmae_mm.evaluation.simpson import LABELS as SIMPSON_LABELS
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
_GROUPS = {'instant': ('ED', 'ES'), 'view': ('2CH', '4CH')}


@METRICS.register_module()
class EchoSegMetric(PredictionMetric):
    """Dice and IoU, both pooled and averaged over images, and surface distances.

    The paper's mDice and mIoU are **pooled**: overlap and sizes are summed over the data set before
    the division, as in ``yangdl``'s metric in the released code. Other papers (MemSAM, SAMUS)
    report **means over images**, in which small structures have more weight. This metric reports
    both.

    Predictions are compared at the size of the recording. If a structure is empty in both masks of
    an image, its Dice and IoU are undefined and omitted from the means. For a false negative or
    false positive, Dice and IoU are 0 and distances are undefined. The table of predictions has one
    row per image.

    Args:
        distances (bool): Whether to measure HD95, ASSD and the disks of the ventricle; this is slow
            at the native size of CAMUS. Defaults to True.
        network_size (tuple[int, int], optional): Width and height at which to report Dice and IoU
            as well, as ``network/...``, because papers often compare shrunk labels. Both masks are
            sampled at the centres of the pixels. Defaults to None.
        **kwargs (Any): Arguments of :class:`PredictionMetric`: ``n_resamples``, ``seed``.
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
        """Overlap and distances of each structure.

        Args:
            sample (dict): With ``pred_sem_seg`` and ``gt_sem_seg`` of shape (1, H, W); or of shape
                (T, H, W) for a clip, whose ``frame_inds`` contain the labelled ``frame``.

        Returns:
            dict: ``frame``, ``instant``, ``ef``, ``<structure>/...``, ``clicked`` if the model saw
            a click inside the true mask and, with distances, the ventricle's ``disks_predicted``
            and ``disks_true``.
        """
        index = labelled_index(sample)
        predicted, true = (
            np.asarray(sample[name]['data'].cpu())[index] for name in ('pred_sem_seg', 'gt_sem_seg')
        )
        row: dict[str, Any] = {name: sample.get(name) for name in ('frame', 'instant', 'ef')}
        if 'clicks' in sample:
            row['clicked'] = True
        spacing = sample.get('spacing')
        for name, masks in self._masks(predicted, true):
            row |= _prefixed(name, overlap_row(*masks))
            if self.distances:
                row |= _prefixed(name, distance_row(*masks, spacing))
            if self.distances and name == VENTRICLE:
                row |= simpson_row(*masks, spacing)
        if self.network_size:
            small = (_resized(labels, self.network_size) for labels in (predicted, true))
            for name, masks in self._masks(*small):
                row |= _prefixed(f'network/{name}', overlap_row(*masks))
        return row

    def summarise(self, predictions: pd.DataFrame) -> Summary:
        """Statistics of a table of images.

        Returns:
            dict[str, float | Interval]: :func:`seg_statistics`, overall and, if the data set
            distinguishes them, with the prefixes ``ED/``, ``ES/``, ``2CH/`` and ``4CH/``;
            :func:`simpson_ef`; :func:`count_missing`; the number of images as ``n``, of those with
            a click as ``clicked``, and of ``patients``.
        """
        structures = structures_of(predictions)
        table = {
            name: predictions[name].to_numpy(np.float64) for name in predictions if '/' in name
        }
        groups = {'': np.ones(len(predictions), bool), **_groups(predictions)}
        simpson = simpson_ef(predictions) if 'disks_true' in predictions else None

        def statistics(rows: np.ndarray) -> dict[str, float]:
            found: dict[str, float] = {}
            for group, members in groups.items():
                values = seg_statistics(table, structures, rows[members[rows]])
                found.update({group + name: value for name, value in values.items()})
            if f'network/{structures[0]}/true' in table:
                found.update(seg_statistics(table, structures, rows, 'network/'))
            if simpson is not None:
                found.update(simpson(rows))
            return found

        return {
            **self._with_intervals(statistics, predictions),
            **count_missing(table, structures),
            **({'clicked': len(predictions)} if 'clicked' in predictions else {}),
        }

    def report(self) -> str:
        """Format tables of overlap, distances and ejection fraction by Simpson's method."""
        statistics = self.statistics
        names = [name for name in _NAMES if _is_finite(statistics.get(name, np.nan))]
        rows: list[tuple[str, ...]] = [
            (self._overall(), *(_cell(statistics[name]) for name in names))
        ]
        prefixes = dict.fromkeys(
            name.rpartition('/')[0]
            for name in statistics
            if name.rpartition('/')[2] in _NAMES and '/' in name
        )
        for prefix in prefixes:
            label = prefix.replace('_', ' ').replace('/', ', ')
            cells = (statistics.get(f'{prefix}/{name}', np.nan) for name in names)
            rows.append((label, *(_cell(value) for value in cells)))
        head = f'{statistics["n"]} images of {statistics["patients"]} patients'
        text = markdown_table((head, *(_NAMES[name] for name in names)), rows)
        negatives, positives = (
            sum(value for name, value in statistics.items() if name.endswith(f'/false_{kind}'))
            for kind in ('negatives', 'positives')
        )
        text += (
            f'\n\n{negatives} false negatives and {positives} false positives (structures per '
            'image): their Dice is 0, their distances are omitted'
        )
        if 'clicked' in statistics:
            text += (
                '\n\nThe model saw a click inside the true mask: do not compare it with models '
                'that saw no truth'
            )
        rows = [
            (label, _cell(statistics[name]))
            for name, label in SIMPSON_LABELS.items()
            if _is_finite(statistics.get(name, np.nan))
        ]
        if rows:
            text += f'\n\n{markdown_table(("ejection fraction by Simpson", ""), rows)}'
        return text

    def plots(self, predictions: pd.DataFrame) -> dict[str, Figure]:
        """``dice`` and ``area``."""
        names = structures_of(predictions)
        return {
            'dice': dice_by_instant(predictions, names),
            'area': area_agreement(predictions, names),
        }

    def _overall(self) -> str:
        structures = (self.dataset_meta or {}).get('classes', ())[1:]
        return structures[0] if len(structures) == 1 else 'mean over structures'

    def _masks(
        self, predicted: np.ndarray, true: np.ndarray
    ) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
        """Yield each structure's name with its predicted and its true mask."""
        assert self.dataset_meta is not None
        for label, name in enumerate(self.dataset_meta['classes'][1:], start=1):
            counted = (predicted == label) & (true != _IGNORED)
            yield name.replace(' ', '_'), (counted, true == label)


def labelled_index(sample: Any) -> int:
    """Index of the labelled frame in the sample's clip; 0 if the sample is a single frame."""
    if 'frame_inds' not in sample:
        return 0
    return int(np.flatnonzero(np.ravel(sample.get('frame_inds')) == sample.get('frame'))[0])


def _prefixed(prefix: str, row: dict[str, float]) -> dict[str, float]:
    return {f'{prefix}/{name}': value for name, value in row.items()}


def _resized(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(labels.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT)


def _groups(predictions: pd.DataFrame) -> dict[str, np.ndarray]:
    groups = {}
    for column, values in _GROUPS.items():
        present = [v for v in values if column in predictions and (predictions[column] == v).any()]
        if len(present) > 1:
            groups.update({f'{v}/': (predictions[column] == v).to_numpy() for v in present})
    return groups


def _is_finite(value: float | Interval) -> bool:
    return bool(np.isfinite(value.estimate if isinstance(value, Interval) else value))


def _cell(value: float | Interval) -> str:
    return f'{value:.3f}' if _is_finite(value) else ''
