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

from mmengine.registry import DATASETS, MODELS, init_default_scope
from mmengine.runner import load_checkpoint

from echocardmae_mm.apis.bundle import FEATURES_FILE, ONNX, TRAINING_LIST, write_bundle
from echocardmae_mm.apis.calibration_file import THRESHOLDS
from echocardmae_mm.apis.model_card import model_card
from echocardmae_mm.apis.published_config import (
    framing_of,
    prediction_pipeline,
    task_of,
    without_training,
)
from echocardmae_mm.apis.training_list import TrainingList
from echocardmae_mm.apis.training_set import describe_training_set, fit_training_features
from echocardmae_mm.cli.arguments import (
    add_cfg_options,
    add_checkpoint,
    add_config,
    add_force,
    command_parser,
    require_free,
)
from echocardmae_mm.cli.calibration import calibrate, calibration_data, require_unseen
from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.cli.configuration import fit_to_table, load_config, require_checkpoint
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.engine import read_provenance, require_fit
from echocardmae_mm.evaluation.prediction_metric import RESULT
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.file_sha256 import file_sha256
from echocardmae_mm.utils.text_files import read_json


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
    add_cfg_options(parser)
    return parser.parse_args(argv)


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    require_checkpoint(args.checkpoint)
    require_free(args.out, args.force)
    config = load_config(args.config)
    apply_cfg_options(config, args.cfg_options)
    pipeline = without_training(prediction_pipeline(config))
    fit_to_table(config, config.train_dataloader.dataset)
    settings: dict[str, Any] = {
        'name': args.name or Path(config.filename).stem,
        'default_scope': config.default_scope,
        'framing': framing_of(config),
        'frame_size': (112, 112),
        'model': without_training(config.model),
        'test_pipeline': pipeline,
    }
    init_default_scope(config.get('default_scope', 'mmengine'))
    dataset = DATASETS.build(config.train_dataloader.dataset)
    data = describe_training_set(dataset)
    classes = tuple(dataset.metainfo.get('classes') or ())
    task = task_of(config, classes)
    calibration: dict[str, Any] = {'gate': THRESHOLDS}
    if args.calibrate is not None:
        recordings = calibration_data(args.calibrate, config, task, classes)
        known = require_unseen(args.calibrate, args.checkpoint, config, dataset, recordings)
        calibration['training_recorded'] = known
    model = MODELS.build(config.model)
    require_fit(model, args.checkpoint)
    meta = load_checkpoint(model, args.checkpoint, map_location='cpu').get('meta', {})
    if args.half:
        model.half()
    described = {**dataset.metainfo, **(meta.get('dataset_meta') or {})}
    settings |= {
        'task': task,
        'fps': data['fps'],
        'synthetic': data['synthetic'],
        'classes': tuple(described.get('classes') or ()),
        'palette': [list(colour) for colour in described.get('palette') or []],
    }
    result = test_result(args.checkpoint)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=args.out.parent, prefix=f'.{args.out.name}.') as folder:
        draft = Path(folder)
        write_bundle(draft, settings, model, {}, '')
        if args.calibrate is not None:
            calibration |= calibrate(args.calibrate, recordings, draft, task)
        distance = fit_training_features(dataset, draft)
        card = model_card(settings, data, args.licence, result, calibration, distance)
        calibration.pop('errors', None)  # for the card alone
        listed = training_list(args.checkpoint, dataset) if args.training_list else None
        write_bundle(draft, settings, model, calibration, card, distance, listed)
        put_in_place(draft, args.out)
    print(f'{args.out}: bundle of {settings["name"]} for {task.replace("_", " ")}')


def put_in_place(draft: Path, out: Path) -> None:
    """Move the files of a bundle to its folder, which may hold an older bundle."""
    out.mkdir(exist_ok=True)
    for name in (FEATURES_FILE, TRAINING_LIST, ONNX):  # the new bundle may lack them
        (out / name).unlink(missing_ok=True)
    for file in draft.iterdir():
        os.replace(file, out / file.name)


def test_result(checkpoint: str) -> dict[str, Any] | None:
    """The results of ``echocardmae test`` of this checkpoint, if saved next to it."""
    path = Path(checkpoint).parent / RESULT
    if not path.is_file():
        return None
    result = read_json(path)
    if result.get('checkpoint_sha256') != file_sha256(checkpoint):
        return None
    if not isinstance(result.get('metrics'), dict):
        raise UserError(f'{path}: damaged; holds no metrics\nTest the checkpoint again')
    return result


def training_list(checkpoint: str, dataset: RecordingDataset) -> TrainingList:
    """The recordings that trained a checkpoint or what it started from."""
    return TrainingList.of(
        {*dataset.content_hashes(), *(read_provenance(checkpoint)['videos'] or ())}
    )
