"""A trained model to pass on: config, weights, calibration and model card in one folder."""

from __future__ import annotations

import ast
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

from echocardmae_mm.apis.calibration_file import read_calibration
from echocardmae_mm.apis.framing import FRAMINGS
from echocardmae_mm.apis.network import FEATURES, Network
from echocardmae_mm.apis.onnx_network import OnnxNetwork
from echocardmae_mm.apis.training_list import TrainingList, read_training_list
from echocardmae_mm.evaluation.feature_distance import FeatureDistance
from echocardmae_mm.utils.config import type_name
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.file_sha256 import file_sha256

CONFIG, WEIGHTS, CALIBRATION, CARD = (
    'config.py', 'model.safetensors', 'calibration.json', 'README.md'
)  # fmt: skip
FEATURES_FILE = 'features.safetensors'
TRAINING_LIST = 'training-list.json'
ONNX = 'model.onnx'
FORMAT = 1
RUNTIMES = ('torch', 'onnx')
TASKS = ('ejection_fraction', 'segmentation', 'diagnosis', 'view', 'features')


class Bundle:
    """A trained model with everything that is needed to use it.

    ``config.py`` holds ``model``, ``test_pipeline``, ``default_scope`` and:

    * ``task``: one of :data:`TASKS`;
    * ``framing``: how the frames of the training data are cropped, one of :data:`FRAMINGS`;
    * ``frame_size``: height and width of the training data's frames in pixels;
    * ``fps``: median frame rate of the training data, or None;
    * ``synthetic``: whether the model was trained on synthetic recordings;
    * ``classes``: names of labels or diagnoses, and ``palette``.

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
        self.config = _read_config(self.folder / CONFIG)
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
        """Task of the model, one of :data:`TASKS`."""
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
        settings (dict[str, Any]): The content of ``config.py``; see :class:`Bundle`.
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


def _require_device(name: str) -> None:
    found = re.fullmatch(r'cpu|cuda(?::(\d+))?', name)
    count = torch.cuda.device_count()
    if not found or (name != 'cpu' and int(found[1] or 0) >= count):
        raise UserError(
            f'device {name}: expected cpu, cuda or cuda:N; torch sees {count or "no"} '
            f'GPU{"" if count == 1 else "s"}'
        )


def _read_config(path: Path) -> Config:
    """Read assignments of literals; a config that would run code is refused."""
    try:
        statements = ast.parse(path.read_text(encoding='utf-8')).body
        values = {_name(part): _literal(part.value) for part in statements}  # type: ignore[attr-defined]
    except (SyntaxError, ValueError, AttributeError) as error:
        raise UserError(f'{path}: expected only assignments of literals ({error})') from None
    if values.get('framing') not in FRAMINGS:
        raise UserError(f'{path}: framing must be one of {FRAMINGS}')
    if values.get('format') != FORMAT or values.get('task') not in TASKS:
        raise UserError(
            f'{path}: format {values.get("format")} and task {values.get("task")!r} are unknown to '
            'this version'
        )
    return Config(values)


def _name(statement: ast.stmt) -> str:
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        raise ValueError(f'line {statement.lineno}')
    return statement.targets[0].id


def _literal(node: ast.expr) -> Any:
    """``ast.literal_eval`` that also knows ``dict(name=value)``, which mmengine writes."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict':
        if node.args:
            raise ValueError(f'line {node.lineno}')
        return {str(keyword.arg): _literal(keyword.value) for keyword in node.keywords}
    if isinstance(node, ast.Dict):
        if None in node.keys:
            raise ValueError(f'line {node.lineno}')
        keys = [ast.literal_eval(key) for key in node.keys if key is not None]
        return dict(zip(keys, map(_literal, node.values)))
    if isinstance(node, (ast.List, ast.Tuple)):
        items = [_literal(item) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    return ast.literal_eval(node)
