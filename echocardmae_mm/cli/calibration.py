"""Calibrate a bundle on recordings that neither trained nor selected its model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import DATASETS
from rich.progress import track

from echocardmae_mm.apis.bundle import Bundle
from echocardmae_mm.apis.inferencer import EchoInferencer
from echocardmae_mm.datasets import RecordingTableDataset
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.engine import find_leakage, recordings_among
from echocardmae_mm.evaluation.conformal import fit_conformal
from echocardmae_mm.evaluation.temperature_scaling import calibration_errors, fit_temperature
from echocardmae_mm.utils.errors import UserError

_UNFIT_SPLITS = {'train': 'trained', 'val': 'selected'}
_OTHERS = 'Use recordings that it has not seen: a CSV file (columns path and {}) or test'
#: Truth of a recording, by task.
_TRUTHS = {'ejection_fraction': 'ef', 'diagnosis': 'label'}


def calibration_data(
    option: str, config: Config, task: str, classes: Sequence[str]
) -> RecordingDataset:
    """The recordings of ``--calibrate``, a split or a CSV file."""
    if task not in _TRUTHS:
        raise UserError('--calibrate: only for ejection fraction and diagnosis')
    if Path(option).suffix.lower() == '.csv':
        return RecordingTableDataset(
            ann_file=option, require=_TRUTHS[task], classes=classes or None
        )
    split = option.lower()
    if split in _UNFIT_SPLITS:
        raise UserError(
            f'--calibrate {option}: these recordings {_UNFIT_SPLITS[split]} the model\n'
            + _OTHERS.format(_TRUTHS[task])
        )
    return DATASETS.build({**config.test_dataloader.dataset, 'split': split})


def require_unseen(
    option: str,
    checkpoint: str,
    config: Config,
    training: RecordingDataset,
    dataset: RecordingDataset,
) -> bool:
    """Refuse recordings that trained or selected the model, even if renamed.

    Returns:
        bool: Whether the checkpoint records all recordings that it was trained on. Without it, the
        training set of the config takes its place.
    """
    leakage = find_leakage(checkpoint, dataset)
    is_recorded = leakage is not None and not leakage.unknown
    seen = {'trained': leakage.recordings if leakage else []}
    if not is_recorded and not seen['trained']:
        seen['trained'] = recordings_among(set(training.content_hashes()), dataset)
    if config.get('val_dataloader'):
        selection = DATASETS.build(config.val_dataloader.dataset)
        seen['selected'] = recordings_among(set(selection.content_hashes()), dataset)
    for how, files in seen.items():
        if files:
            raise UserError(
                f'--calibrate {option}: {len(files)} of its {len(dataset)} recordings {how} the '
                f'model, such as {files[0]}\nUse recordings that it has not seen'
            )
    if not is_recorded:
        print(
            f'{checkpoint} has no record of the recordings it was trained on: those of '
            '--calibrate were compared only with the training and validation set of the config'
        )
    return is_recorded


def calibrate(option: str, dataset: RecordingDataset, folder: Path, task: str) -> dict[str, Any]:
    """Calibrate a bundle that was written without it, on what it predicts.

    Returns:
        dict[str, Any]: For ``calibration.json``, ``interval`` of the ejection fraction or
        ``temperature`` of a diagnosis; and for the model card ``errors``, before and after.
    """
    measure = EchoInferencer(folder, allow_synthetic_model=True)
    predicted, truths = [], []
    for index in track(range(len(dataset)), 'calibrating'):
        info = dataset.get_data_info(index)
        file, given = dataset.recording_of(info), info.get('override', {})
        values = measure(file, None, given.get('fps'), given.get('spacing')).values
        if values['status'] != 'measured':
            print(f'{file}: left out of the calibration: {values["reason"]}')
            continue
        predicted.append(_predicted(values, measure.bundles[task]))
        truths.append(info[_TRUTHS[task]])
    try:
        if task == 'diagnosis':
            return _calibrate_probabilities(np.array(predicted), np.array(truths, int))
        interval = fit_conformal(np.ravel(predicted), np.array(truths, np.float64))
    except ValueError as error:
        raise UserError(f'--calibrate {option}: {error}') from None
    widths = ', '.join(f'{low + high:.1f}' for low, high in zip(interval.below, interval.above))
    print(f'intervals from {interval.n} recordings; width by group of predictions: {widths} points')
    return {'interval': interval._asdict()}


def _predicted(values: dict[str, Any], bundle: Bundle) -> list[float]:
    """The ejection fraction, or the probability of each class."""
    if bundle.task == 'ejection_fraction':
        return [values['ef_percent']]
    names = [f'{name.replace(" ", "_")}_probability' for name in bundle.config.classes]
    return [values.get(name, 1 - values[names[-1]]) for name in names]


def _calibrate_probabilities(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    scaling = fit_temperature(probabilities, labels)
    before, after = (
        calibration_errors(shown, labels) for shown in (probabilities, scaling(probabilities))
    )
    print(
        f'temperature {scaling.temperature:.2f} from {scaling.n} recordings: Brier score '
        f'{before["brier"]:.3f} to {after["brier"]:.3f}, expected calibration error '
        f'{before["ece"]:.3f} to {after["ece"]:.3f}'
    )
    return {'temperature': scaling._asdict(), 'errors': {'before': before, 'after': after}}
