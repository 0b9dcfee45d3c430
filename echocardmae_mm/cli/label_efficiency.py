"""Does pretraining help with few labels? Compare it with random weights by the share of the labels.

    echocardmae label-efficiency ef_echonet --amp
    echocardmae label-efficiency ef_phantom --shares 0.05 0.25 1 --seeds 3 --jobs 2
    echocardmae label-efficiency ef_table --checkpoint encoder.pth --cfg-options ann_file=ef.csv

For each share and seed, two models train on the same labelled patients: one from the pretraining
checkpoint that CONFIG names, one from random weights. Each seed draws its own patients; a smaller
share is part of a larger one. With several checkpoints, one for each seed, the intervals also cover
the variation between pretrainings. Patients are drawn from the training split; validation and test
stay whole. Epochs are lengthened so that a run with a share s takes sqrt(s) of the steps of the
whole training set, at most, if CONFIG stops early; schedules scale with them. Every run is tested
once, with the checkpoint of the best validation result, or the last one without validation.

Writes label_efficiency.png, .md and .json to --out. Intervals are over patients and seeds, paired
for the difference. Snakemake runs the trainings: pip install echocardmae_mm[reproduce]. Repeat the
command to continue: it keeps finished runs and resumes interrupted ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope

from echocardmae_mm.cli.arguments import (
    add_cfg_options,
    add_config,
    at_least,
    command_parser,
    positive,
)
from echocardmae_mm.cli.cfg_options import apply_cfg_options, parse_cfg_options
from echocardmae_mm.cli.configuration import (
    PACKAGED,
    default_work_dir,
    find_config,
    load_config,
    prepare_data,
    test_metric,
)
from echocardmae_mm.cli.label_efficiency_results import NAME, results_of, write_results
from echocardmae_mm.cli.run_folder import bind_run_folder, folder_lock, portable_settings
from echocardmae_mm.cli.step_metadata import bind_step, write_metadata
from echocardmae_mm.cli.train import choose_checkpoints
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.cli.workflow import (
    add_workflow_options,
    require_snakemake,
    run_plan,
    state_of,
)
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.evaluation import PREDICTIONS, DiagnosisMetric, EchoSegMetric, EFMetric
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.reproduction import (
    BUDGETS,
    LabelledRun,
    Plan,
    Setup,
    labelled_runs,
)
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text
from echocardmae_mm.utils.config import pretrained_parts
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.file_sha256 import file_sha256

METADATA = 'study.json'
COMPARED = (EFMetric, EchoSegMetric, DiagnosisMetric)
REMEDY = 'Choose another --out, or remove the folder'


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('label-efficiency', __doc__)
    add_config(parser)
    add = parser.add_argument
    add(
        '--checkpoint',
        nargs='+',
        default=[None],
        metavar='FILE',
        help="pretraining checkpoint of all seeds, or one for each (default: the config's)",
    )
    add(
        '--shares',
        nargs='+',
        type=positive(most=1),
        default=[0.01, 0.05, 0.1, 0.25, 1.0],
        metavar='S',
        help='shares of the training patients',
    )
    add('--seeds', type=at_least(1), default=5, metavar='N', help='seeds of each share, from 0')
    add_workflow_options(parser)
    add('--out', type=Path, help='folder of the study (default: below work_dirs/label_efficiency)')
    add('--dry-run', action='store_true', help='print the runs and train nothing')
    add_cfg_options(parser)
    args = parser.parse_args(argv)
    require_snakemake('label-efficiency')
    return args


def load_fine_tuning(args: argparse.Namespace, checkpoint: str | None) -> Config:
    """The config after the command line."""
    config = load_config(args.config)
    apply_cfg_options(config, args.cfg_options)
    if checkpoint:
        keys = pretrained_parts(config)
        apply_cfg_options(config, [f'{key}.checkpoint={checkpoint}' for key in keys])
    choose_checkpoints(config)
    return config


def require_comparable(config: Config) -> None:
    """Refuse a config whose two starts would be the same, or whose runs cannot be compared."""
    if not pretrained_parts(config):
        raise UserError(
            f'{config.filename}: no part of the model loads a pretraining checkpoint\n'
            "Set init_cfg=dict(type='Pretrained', checkpoint=...) in the backbone"
        )
    if config.get('load_from'):
        raise UserError(
            f'{config.filename}: load_from={config.load_from} would be the start of both models\n'
            'Name the pretraining checkpoint in the init_cfg of the backbone instead'
        )
    if config.get('test_evaluator') is None:
        raise UserError(f'{config.filename}: has no test; define test_dataloader, test_evaluator')
    if 'max_epochs' not in (config.get('train_cfg') or {}):
        raise UserError(f'{config.filename}: trains by iterations; set max_epochs in train_cfg')
    metric = test_metric(config)
    if not isinstance(metric, COMPARED):
        names = ', '.join(kind.__name__ for kind in COMPARED)
        raise UserError(f'{type(metric).__name__} cannot be compared; expected one of {names}')


def training_samples(config: Config) -> list[dict[str, Any]]:
    """The training set in its order: the patient of each sample, and its class if it has one."""
    settings = config.train_dataloader.dataset
    if settings.get('indices') is not None:
        raise UserError(
            'train_dataloader.dataset.indices is already set, and this command sets it\n'
            'Restrict the training set by a split instead'
        )
    dataset = DATASETS.build({**settings, 'pipeline': ()})
    if not isinstance(dataset, RecordingDataset):
        raise UserError(
            f'{type(dataset).__name__}: labels can only be drawn from a data set of this package\n'
            'Use it in train_dataloader.dataset without a wrapper'
        )
    dataset.full_init()
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    return [{'patient': info['patient'], 'label': info.get('label')} for info in infos]


def describe(runs: Sequence[LabelledRun], root: Path) -> str:
    """The runs with their sizes, and whether they have finished."""
    header = ('run', 'patients', 'samples', 'epochs', 'steps', 'state')
    rows = [
        (
            run.step.name,
            run.patients,
            run.recordings,
            run.epochs,
            run.iterations,
            state_of(run.step, root),
        )
        for run in runs
    ]
    total = sum(run.iterations for run in runs)
    return f'{markdown_table(header, rows)}\n{len(runs)} runs, at most {total} steps in all'


def hash_checkpoints(checkpoints: Sequence[Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """SHA-256 of the checkpoints of each part, by key and file."""
    for files in checkpoints:
        for key, file in files.items():
            if not Path(file).is_file():
                raise UserError(
                    f'{key}: {file}: no such checkpoint\n'
                    'Pretrain it first (docs/training.md), or pass --checkpoint FILE'
                )
    return {
        key: {files[key]: file_sha256(files[key]) for files in checkpoints}
        for key in checkpoints[0]
    }


def bind_study(
    config: Config,
    runs: Sequence[LabelledRun],
    hashes: Mapping[str, Mapping[str, str]],
    args: argparse.Namespace,
) -> None:
    """Refuse the folder of another study, then write the metadata of new runs."""
    settings = {
        **portable_settings(config),
        # The content counts, not the place.
        **{f'{key}.checkpoint': ', '.join(files.values()) for key, files in hashes.items()},
    }
    if any(any(args.out.rglob(name)) for name in ('*.pth', PREDICTIONS)):
        bind_run_folder(args.out / METADATA, settings, REMEDY)
    else:
        atomic_write_text(args.out / METADATA, json_text(settings))
    metadata = {run.step.name: bind_step(run.step, args.out, args.amp) for run in runs}
    for run in runs:
        if not metadata[run.step.name]['finished']:
            write_metadata(run.step, args.out, metadata[run.step.name])


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    configs = [load_fine_tuning(args, file) for file in args.checkpoint]
    config, checkpoints = configs[0], [pretrained_parts(one) for one in configs]
    if len(checkpoints) not in (1, args.seeds):
        raise UserError(
            f'--checkpoint: {len(checkpoints)} files, but --seeds {args.seeds}\n'
            'Name one file for all seeds, or one for each'
        )
    init_default_scope(config.get('default_scope') or 'mmengine')
    prepare_data(config, 'train_dataloader', 'val_dataloader', 'test_dataloader')
    require_comparable(config)
    path = find_config(args.config)
    args.out = args.out or Path('work_dirs', NAME, *Path(default_work_dir(path)).parts[1:])
    options, samples = parse_cfg_options(args.cfg_options), training_samples(config)
    runs = labelled_runs(config, str(path), options, samples, args.shares, args.seeds, checkpoints)
    if args.dry_run:
        print(describe(runs, args.out))
        return
    args.out.mkdir(parents=True, exist_ok=True)
    setup = Setup(PACKAGED, BUDGETS['full'], False, Path(), None)
    steps = {run.step.name: run.step for run in runs}
    plan = Plan(args.out, args.out, args.seeds, args.amp, setup, steps)
    with folder_lock(args.out) as lock:
        hashes = hash_checkpoints(checkpoints)
        bind_study(config, runs, hashes, args)
        run_plan(plan, {}, args, lock)
        results = results_of(config, runs, args)
        print(f'\n{write_results(results, config, runs, hashes, args)}')
    print(f'All results are in {args.out}')
