"""Publish a trained model as a bundle: one folder with everything `echocardmae predict` needs.

    echocardmae publish ef_echonet work_dirs/ef_echonet/best_ef_mae_epoch_40.pth --out bundles/ef

The bundle holds config.py, model.safetensors, calibration.json, README.md (the model card) and
features.safetensors (mean and covariance of the features of the training set, to notice unusual
recordings), and no path, file name or hash of a recording. Intervals of the ejection fraction and
calibrated probabilities of a diagnosis need --calibrate, a split or a CSV file (columns path and ef
or label) of recordings that neither trained nor selected the model.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS, init_default_scope
from mmengine.runner import load_checkpoint
from rich.progress import track

from echocardmae_mm.apis.bundle import (
    FEATURES_FILE,
    ONNX,
    TRAINING_LIST,
    Bundle,
    without_training,
    write_bundle,
)
from echocardmae_mm.apis.calibration_file import THRESHOLDS
from echocardmae_mm.apis.inferencer import VIEWS
from echocardmae_mm.apis.model_card import model_card
from echocardmae_mm.apis.recording_features import recording_features
from echocardmae_mm.apis.training_list import TrainingList
from echocardmae_mm.cli.arguments import (
    add_checkpoint,
    add_common,
    add_config,
    add_force,
    command_parser,
)
from echocardmae_mm.cli.calibration import calibrate, calibration_data, require_unseen
from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.cli.configuration import fit_to_table, load_config, require_checkpoint
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.datasets.recordings.synthetic import is_synthetic
from echocardmae_mm.engine import read_provenance, require_fit
from echocardmae_mm.evaluation.feature_distance import FeatureDistance, fit_feature_distance
from echocardmae_mm.evaluation.prediction_metric import RESULT
from echocardmae_mm.models import EFHead
from echocardmae_mm.utils.config import type_name
from echocardmae_mm.utils.errors import RecordingError, UserError
from echocardmae_mm.utils.file_sha256 import file_sha256
from echocardmae_mm.utils.text_files import read_json

_WHOLE = ('CAMUSDataset', 'CAMUSSegDataset')
_ECHONET = ('EchoNetDynamicDataset', 'EchoNetSegDataset')
_FPS_RECORDINGS = 50
_CLIPS = 5
_FEATURE_RECORDINGS = 300


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('publish', __doc__)
    add_config(parser)
    add_checkpoint(parser)
    parser.add_argument('--out', type=Path, required=True, help='folder of the bundle')
    parser.add_argument('--name', help='name of the model (default: name of the config)')
    parser.add_argument('--licence', default='not stated', help='licence of the weights')
    parser.add_argument(
        '--calibrate', metavar='SPLIT_OR_CSV', help='recordings for intervals or probabilities'
    )
    parser.add_argument(
        '--half', action='store_true', help='store weights in half precision, at half the size'
    )
    parser.add_argument(
        '--training-list',
        action='store_true',
        help='add salted hashes of the training recordings, so that predict recognises them',
    )
    add_force(parser, 'the bundle in --out')
    parser.add_argument('--work-dir', help=argparse.SUPPRESS)
    add_common(parser)
    return parser.parse_args(argv)


def task_of(config: Config) -> str:
    """Task of a model, by its head."""
    model = config.model
    if 'decode_head' in model:
        return 'segmentation'
    if 'cls_head' in model:
        head = MODELS.get(type_name(model.cls_head))
        is_ef = isinstance(head, type) and issubclass(head, EFHead)
        return 'ejection_fraction' if is_ef else 'diagnosis'
    if type_name(model).endswith('EchoCardMAE'):
        return 'features'
    raise UserError(f'{config.filename}: has no head for a task, and is no EchoCardMAE')


def test_pipeline_of(config: Config) -> list[Any]:
    """The transforms of the test, or evenly spaced clips as in pretraining."""
    if task_of(config) == 'features':
        return [
            _for_features(step)
            for step in config.train_dataloader.dataset.pipeline
            if not type_name(step).endswith('FindSector')
        ]
    if config.get('test_dataloader') is None or config.get('train_dataloader') is None:
        raise UserError(f'{config.filename}: defines no train_dataloader or no test_dataloader')
    return list(config.test_dataloader.dataset.pipeline)


def _for_features(step: dict[str, Any]) -> dict[str, Any]:
    """A transform of pretraining, for features."""
    if type_name(step).endswith('SampleRandomClips'):
        kept = {name: value for name, value in step.items() if name != 'num_clips'}
        return {**kept, 'type': 'echocardmae_mm.SampleUniformClips', 'num_clips': _CLIPS}
    if type_name(step).endswith('PackActionInputs'):
        return {'type': 'mmaction.PackActionInputs', 'meta_keys': ('filename',)}
    return step


def framing_of(config: Config) -> str:
    """Find out how the frames of the training data are cropped."""
    if any(type_name(step).endswith('CropToSector') for step in test_pipeline_of(config)):
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


def training_data(config: Config) -> tuple[Any, dict[str, Any]]:
    """Return the training set and its description for the bundle."""
    init_default_scope(config.get('default_scope', 'mmengine'))
    dataset = DATASETS.build(config.train_dataloader.dataset)
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    files = list(dict.fromkeys(info['filename'] for info in infos))
    rates = [info['fps'] for info in infos if info.get('fps')] or opened_rates(files)
    return dataset, {
        'data': type(dataset).__name__.removesuffix('Dataset'),
        'recordings': len(files),
        'patients': len({info.get('patient', info['filename']) for info in infos}),
        'fps': float(np.median(rates)) if rates else None,
        'synthetic': all(is_synthetic(file) for file in files[:20]),
    }


def opened_rates(files: list[str]) -> list[float]:
    """Frame rates of some recordings."""
    rates = [open_recording(file).fps for file in files[:_FPS_RECORDINGS]]
    return [rate for rate in rates if rate]


def tested(checkpoint: str) -> dict[str, Any] | None:
    """The results of ``echocardmae test`` of this checkpoint, if they stand beside it."""
    path = Path(checkpoint).parent / RESULT
    if not path.is_file():
        return None
    result = read_json(path)
    if result.get('checkpoint_sha256') != file_sha256(checkpoint):
        return None
    if not isinstance(result.get('metrics'), dict):
        raise UserError(f'{path}: damaged; holds no metrics\nTest the checkpoint again')
    return result


def fit_features(dataset: Any, folder: Path) -> FeatureDistance | None:
    """The distance from the features of some training recordings, for a bundle without it."""
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    recordings = list({dataset.recording_of(info): info for info in infos}.items())
    some = np.linspace(0, len(recordings) - 1, min(_FEATURE_RECORDINGS, len(recordings)))
    bundle = Bundle(folder)
    features, patients = [], []
    for file, info in track([recordings[round(index)] for index in some], 'features'):
        try:
            found = recording_features(bundle, file, info.get('fps'), info.get('spacing'))
        except RecordingError:
            continue
        if found is None:
            print('no check for unusual features: the model gives none')
            return None
        features.append(found)
        patients.append(info.get('patient', file))
    try:
        return fit_feature_distance(np.array(features), patients)
    except ValueError as error:
        print(f'no check for unusual features: {error}')
        return None


def training_list(checkpoint: str, dataset: Any) -> TrainingList:
    """The recordings that trained a checkpoint or what it started from."""
    return TrainingList.of(
        {*dataset.content_hashes(), *(read_provenance(checkpoint)['videos'] or ())}
    )


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    require_checkpoint(args.checkpoint)
    if args.out.exists() and not args.force:
        raise UserError(f'{args.out} exists; choose another --out, or pass --force')
    config = load_config(args)
    apply_cfg_options(config, args.cfg_options)
    task = task_of(config)
    test_pipeline = without_training(test_pipeline_of(config))
    fit_to_table(config, config.train_dataloader.dataset)
    dataset, data = training_data(config)
    if task == 'diagnosis' and set(dataset.metainfo.get('classes') or ['']) <= set(VIEWS):
        task = 'view'
    classes = tuple(dataset.metainfo.get('classes') or ())
    calibration: dict[str, Any] = {'gate': THRESHOLDS}
    if args.calibrate is not None:
        recordings = calibration_data(args.calibrate, config, task, classes)
        known = require_unseen(args.calibrate, args.checkpoint, config, dataset, recordings)
        calibration['training_recorded'] = known
    init_default_scope(config.get('default_scope', 'mmengine'))
    model = MODELS.build(config.model)
    require_fit(model, args.checkpoint)
    meta = load_checkpoint(model, args.checkpoint, map_location='cpu').get('meta', {})
    if args.half:
        model.half()
    described = {**dataset.metainfo, **(meta.get('dataset_meta') or {})}
    settings: dict[str, Any] = {
        'name': args.name or Path(config.filename).stem,
        'task': task,
        'default_scope': config.default_scope,
        'framing': framing_of(config),
        'frame_size': (112, 112),
        'fps': data['fps'],
        'synthetic': data['synthetic'],
        'classes': tuple(described.get('classes') or ()),
        'palette': [list(colour) for colour in described.get('palette') or []],
        'model': without_training(config.model),
        'test_pipeline': test_pipeline,
    }
    result = tested(args.checkpoint)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=args.out.parent, prefix=f'.{args.out.name}.') as folder:
        draft = Path(folder)
        write_bundle(draft, settings, model, {}, '')
        if args.calibrate is not None:
            calibration |= calibrate(args.calibrate, recordings, draft, task)
        distance = fit_features(dataset, draft)
        card = model_card(settings, data, args.licence, result, calibration, distance)
        calibration.pop('errors', None)  # for the card alone
        listed = training_list(args.checkpoint, dataset) if args.training_list else None
        write_bundle(draft, settings, model, calibration, card, distance, listed)
        args.out.mkdir(exist_ok=True)
        for name in (FEATURES_FILE, TRAINING_LIST, ONNX):  # of the bundle that was there
            (args.out / name).unlink(missing_ok=True)
        for file in draft.iterdir():
            os.replace(file, args.out / file.name)
    print(f'{args.out}: bundle of {settings["name"]} for {task.replace("_", " ")}')
