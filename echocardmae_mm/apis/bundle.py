"""A trained model to pass on: config, weights, calibration and model card in one folder."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import MODELS, DefaultScope
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from safetensors.torch import load_file, save
from torch import Tensor

from echocardmae_mm.apis.bundle_config import CONFIG, FORMAT, read_bundle_config
from echocardmae_mm.apis.calibration_file import read_calibration
from echocardmae_mm.apis.network import FEATURES, Network
from echocardmae_mm.apis.onnx_network import OnnxNetwork
from echocardmae_mm.apis.training_list import TrainingList, read_training_list
from echocardmae_mm.evaluation.feature_distance import FeatureDistance
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.file_sha256 import file_sha256

WEIGHTS, CALIBRATION, CARD = 'model.safetensors', 'calibration.json', 'README.md'
FEATURES_FILE = 'features.safetensors'
TRAINING_LIST = 'training-list.json'
ONNX = 'model.onnx'
RUNTIMES = ('torch', 'onnx')


class Bundle:
    """A trained model with everything that is needed to use it.

    Args:
        folder (str | Path): The folder.
        device (str, optional): Device of the model. Defaults to None, a GPU if there is one.
        runtime (str): What computes ``network``: 'torch', or 'onnx' from the file ``model.onnx``
            that ``echocardmae export`` wrote, on the CPU. Defaults to 'torch'.

    Attributes:
        network (Callable): The trained model, from uint8 frames to predictions and features; see
            :meth:`Network.forward`.
        feature_distance (FeatureDistance | None): Distance of features from those of the training
            set, if the bundle was published with it.
        training_list (TrainingList | None): The recordings that trained the model, if the bundle
            was published with them.

    Raises:
        UserError: If the folder is no bundle, one of its parts does not fit the others, or there is
            no such device.
    """

    def __init__(
        self, folder: str | Path, device: str | None = None, runtime: str = 'torch'
    ) -> None:
        if runtime not in RUNTIMES:
            raise UserError(f'runtime={runtime!r} is unknown; choose one of {RUNTIMES}')
        if runtime == 'onnx' and (device or 'cpu') != 'cpu':
            raise UserError(f'the runtime onnx uses the CPU, not device {device}')
        on_gpu = runtime == 'torch' and torch.cuda.is_available()
        self.device = device or ('cuda' if on_gpu else 'cpu')
        _require_device(self.device)
        self.folder = Path(folder)
        for name in (CONFIG, WEIGHTS, CALIBRATION, CARD):
            if not (self.folder / name).is_file():
                raise UserError(
                    f'{folder}: no bundle, {name} is missing\n'
                    'Make a bundle with: echocardmae publish CONFIG CHECKPOINT --out BUNDLE'
                )
        self.config = read_bundle_config(self.folder / CONFIG)
        self.sha256 = file_sha256(self.folder / WEIGHTS)
        self.calibration = read_calibration(self.folder / CALIBRATION, self.sha256)
        self.feature_distance = self._read_feature_distance()
        self.training_list = read_training_list(self.folder / TRAINING_LIST)
        self.model = self._build_model().to(self.device).eval().requires_grad_(False)
        self.network: Callable[[Tensor], dict[str, Tensor]]
        if runtime == 'onnx':
            self.network = OnnxNetwork(self.folder / ONNX, self.sha256)
            if self.feature_distance is not None and FEATURES not in self.network.outputs:
                raise UserError(
                    f'{self.folder / ONNX}: has no output features, which {FEATURES_FILE} needs\n'
                    f'Make it again with: echocardmae export {self.folder} --force'
                )
        else:
            self.network = Network(self.model, self.task).eval()

    @property
    def task(self) -> str:
        """Task of the model, one of :data:`~echocardmae_mm.apis.bundle_config.TASKS`."""
        return self.config.task

    @property
    def name(self) -> str:
        """Name of the model, with the first digits of its weights' hash."""
        return f'{self.config.name}-{self.sha256[:8]}'

    @property
    def synthetic(self) -> bool:
        """Whether the model was trained on synthetic recordings."""
        return self.config.synthetic

    def _read_feature_distance(self) -> FeatureDistance | None:
        about = self.calibration.get(FEATURES)
        if about is None:
            return None
        path = self.folder / FEATURES_FILE
        try:
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() != about['sha256']:
                raise ValueError('hash')
            arrays = load_arrays(content)
            return FeatureDistance(
                arrays['mean'], arrays['precision'], about['unit'], about['level'], about['n']
            )
        except (OSError, ValueError, KeyError, SafetensorError):
            raise UserError(
                f'{path}: missing, damaged or of another {CALIBRATION}\n'
                'Publish the checkpoint again'
            ) from None

    def _build_model(self) -> BaseModel:
        with DefaultScope.overwrite_default_scope(self.config.default_scope):
            model = MODELS.build(self.config.model)
        weights = self.folder / WEIGHTS
        try:
            missing, unexpected = model.load_state_dict(load_file(weights), strict=False)
        except (SafetensorError, RuntimeError) as error:
            reason = str(error).splitlines()[-1].strip()
            raise UserError(f'{weights}: does not fit {CONFIG}: {reason}') from None
        if names := [*missing, *unexpected]:
            raise UserError(f'{weights}: does not fit {CONFIG}; {names[0]} is in only one of them')
        if self.config.get('classes'):
            model.dataset_meta = dict(classes=self.config.classes, palette=self.config.palette)
        return model


def write_bundle(
    folder: Path,
    settings: dict[str, Any],
    model: BaseModel,
    calibration: dict[str, Any],
    card: str,
    feature_distance: FeatureDistance | None = None,
    training_list: TrainingList | None = None,
) -> None:
    """Write a bundle.

    Args:
        folder (Path): Its folder, which is created.
        settings (dict[str, Any]): The content of ``config.py``; see
            :mod:`~echocardmae_mm.apis.bundle_config`.
        model (BaseModel): The trained model.
        calibration (dict[str, Any]): The content of ``calibration.json`` but for the hash of the
            weights.
        card (str): The model card, Markdown.
        feature_distance (FeatureDistance, optional): See :class:`Bundle`. Defaults to None.
        training_list (TrainingList, optional): See :class:`Bundle`. Defaults to None.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = save({name: value.contiguous().cpu() for name, value in model.state_dict().items()})
    (folder / WEIGHTS).write_bytes(weights)
    digest = hashlib.sha256(weights).hexdigest()
    Config(dict(format=FORMAT, **settings)).dump(str(folder / CONFIG))
    if feature_distance is not None:
        calibration = {**calibration, FEATURES: _write_features(folder, feature_distance)}
    content = json.dumps({'weights_sha256': digest, **calibration}, indent=2) + '\n'
    (folder / CALIBRATION).write_text(content, encoding='utf-8')
    (folder / CARD).write_text(card.replace('WEIGHTS_SHA256', digest), encoding='utf-8')
    if training_list is not None:
        training_list.write(folder / TRAINING_LIST)


def _write_features(folder: Path, distance: FeatureDistance) -> dict[str, Any]:
    arrays = {
        name: np.ascontiguousarray(getattr(distance, name), np.float32)
        for name in ('mean', 'precision')
    }
    content = save_arrays(arrays)
    (folder / FEATURES_FILE).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return {'sha256': digest, 'unit': distance.unit, 'level': distance.level, 'n': distance.n}


def _require_device(name: str) -> None:
    found = re.fullmatch(r'cpu|cuda(?::(\d+))?', name)
    count = torch.cuda.device_count()
    if not found or (name != 'cpu' and int(found[1] or 0) >= count):
        raise UserError(
            f'device {name}: expected cpu, cuda or cuda:N; torch sees {count or "no"} '
            f'GPU{"" if count == 1 else "s"}'
        )
