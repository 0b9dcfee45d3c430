"""Derive the config of a bundle from the config that trained its model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.registry import MODELS

from echocardmae_mm.apis.bundle_config import VIEWS
from echocardmae_mm.models import EFHead
from echocardmae_mm.utils.config import type_name
from echocardmae_mm.utils.errors import UserError

_WHOLE = ('CAMUSDataset', 'CAMUSSegDataset')
_ECHONET = ('EchoNetDynamicDataset', 'EchoNetSegDataset')
_CLIPS = 5


def task_of(config: Config, classes: Sequence[str] = ()) -> str:
    """Find out the task of a model by its head, and of a classifier by its classes.

    Returns:
        str: One of :data:`~echocardmae_mm.apis.bundle_config.TASKS`.

    Raises:
        UserError: If the model has no head for a task and is no ``EchoCardMAE``.
    """
    model = config.model
    if 'decode_head' in model:
        return 'segmentation'
    if 'cls_head' in model:
        head = MODELS.get(type_name(model.cls_head))
        is_ef = isinstance(head, type) and issubclass(head, EFHead)
        if is_ef:
            return 'ejection_fraction'
        return 'view' if classes and set(classes) <= set(VIEWS) else 'diagnosis'
    if type_name(model).endswith('EchoCardMAE'):
        return 'features'
    raise UserError(f'{config.filename}: has no head for a task, and is no EchoCardMAE')


def prediction_pipeline(config: Config) -> list[Any]:
    """The transforms of the test, or evenly spaced clips as in pretraining."""
    trained = _dataset(config, 'train_dataloader')
    if task_of(config) == 'features':
        return [
            _for_features(step)
            for step in trained.pipeline
            if not type_name(step).endswith('FindSector')
        ]
    return list(_dataset(config, 'test_dataloader').pipeline)


def _dataset(config: Config, loader: str) -> ConfigDict:
    """The config of a loader's data set, which is read as a single one."""
    if config.get(loader) is None:
        raise UserError(f'{config.filename}: defines no {loader}')
    dataset = config[loader].dataset
    if 'dataset' in dataset or 'datasets' in dataset:
        raise UserError(
            f'{config.filename}: {loader} has a {type_name(dataset)}; expected one data set of '
            'recordings, which a bundle can describe'
        )
    return dataset


def framing_of(config: Config) -> str:
    """Find out how the frames of the training data are cropped."""
    if any(type_name(step).endswith('CropToSector') for step in prediction_pipeline(config)):
        return 'sector'
    dataset = type_name(config.train_dataloader.dataset)
    if dataset.endswith(_WHOLE):
        return 'whole'
    if dataset.endswith(_ECHONET):
        return 'echonet'
    raise UserError(
        f'{config.filename}: unknown framing of {dataset}\n'
        'Crop its recordings with CropToSector in train and test pipeline'
    )


def without_training(part: Any) -> Any:
    """Copy a part of a config without checkpoints, which are paths, and with types by name."""
    if isinstance(part, dict):
        kept = {name: without_training(value) for name, value in part.items() if name != 'init_cfg'}
        if 'pretrained' in kept:
            kept['pretrained'] = None  # the default of some backbones is a download
        return {**kept, 'type': type_name(part)} if 'type' in kept else kept
    if isinstance(part, (list, tuple)):
        items = [without_training(item) for item in part]
        return tuple(items) if isinstance(part, tuple) else items
    return part


def _for_features(step: dict[str, Any]) -> dict[str, Any]:
    """A transform of pretraining, for features."""
    if type_name(step).endswith('SampleRandomClips'):
        kept = {name: value for name, value in step.items() if name != 'num_clips'}
        return {**kept, 'type': 'echocardmae_mm.SampleUniformClips', 'num_clips': _CLIPS}
    if type_name(step).endswith('PackActionInputs'):
        return {'type': 'mmaction.PackActionInputs', 'meta_keys': ('filename',)}
    return step
