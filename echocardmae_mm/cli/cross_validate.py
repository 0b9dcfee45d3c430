"""Train and test every fold of a config, and pool the predictions.

    echocardmae cross-validate ef_camus              # all folds, then the summary
    echocardmae cross-validate ef_camus --fold 3     # only this fold, on this machine

Repeat the command to continue: it keeps finished folds and resumes an interrupted one. To run folds
on different machines, collect their folders (fold_0, fold_1, ...) in one place and run the first
command there. Each fold is tested once, with the checkpoint of the best validation result, or the
last checkpoint if the config has no validation.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope

from echocardmae_mm.cli.arguments import (
    add_allow_leakage,
    add_common,
    add_config,
    at_least,
    command_parser,
    seed,
)
from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.cli.child_process import run_command
from echocardmae_mm.cli.configuration import load_config, test_metric
from echocardmae_mm.cli.run_folder import bind_run_folder, folder_lock, portable_settings
from echocardmae_mm.cli.step_metadata import best_checkpoint
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets.csv_table import write_patient_column
from echocardmae_mm.datasets.patient_folds import read_folds
from echocardmae_mm.evaluation import PREDICTIONS, RESULT
from echocardmae_mm.evaluation.cross_validation import (
    is_finished,
    over_folds,
    pooled_predictions,
    report,
)
from echocardmae_mm.evaluation.prediction_metric import PredictionMetric, flatten
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text
from echocardmae_mm.utils.config import dicts_of
from echocardmae_mm.utils.config_overrides import to_cfg_options
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.text_files import read_json

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
METADATA = 'fold.json'
REMEDY = 'Choose another --work-dir, or remove the folder'


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('cross-validate', __doc__)
    add_config(parser)
    parser.add_argument(
        '--folds', type=at_least(2), metavar='K', help="number of folds (default: the config's)"
    )
    parser.add_argument('--fold', type=at_least(0), metavar='I', help='run only fold I, from 0')
    parser.add_argument('--work-dir', help='folder of the folds and the summary')
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument('--seed', type=seed, help='random seed of every fold')
    add_allow_leakage(parser)
    add_common(parser)
    return parser.parse_args(argv)


def settings_of_fold(config: Config, fold: int, folds: int | None) -> dict[str, int]:
    """Settings that hold out one fold in every data set of the config."""
    settings: dict[str, int] = {}
    for loader in LOADERS:
        for key, part in dicts_of(config.get(loader)):
            if 'fold' in part:
                settings[f'{loader}.{key}.fold'] = fold
                if folds is not None:
                    settings[f'{loader}.{key}.num_folds'] = folds
    if not settings:
        raise UserError(
            f'{config.filename}: no data set has folds\n'
            'Set fold=0 in a data set that supports it, such as CAMUSDataset'
        )
    return settings


def assign_patients(config: Config, folds: int | None) -> dict[str, int]:
    """Fold of each patient, from the test set of the first fold."""
    init_default_scope(config.get('default_scope') or 'mmengine')
    first = deepcopy(config)
    first.merge_from_dict(settings_of_fold(config, 0, folds))
    dataset = DATASETS.build(first.test_dataloader.dataset)
    dataset.full_init()
    if folds is not None and folds != max(dataset.folds.values()) + 1:
        raise UserError(f'--folds {folds}: its fold_file has a different number of folds')
    return dataset.folds


def keep_patients(path: Path, patients: dict[str, int]) -> None:
    """Store the assignment of patients to folds, and refuse a folder with a different one."""
    if not path.is_file():
        write_patient_column(path, 'fold', patients)
    elif read_folds(path, patients) != patients:
        raise UserError(f'{path} holds a different assignment of patients to folds\n{REMEDY}')


def run_fold(config: Config, fold: int, args: argparse.Namespace, lock: int) -> None:
    """Train and test one fold in child processes."""
    folder = folder_of(config, fold)
    common = ['--work-dir', str(folder)]
    options = ['--cfg-options', *args.cfg_options] if args.cfg_options else []
    options += to_cfg_options(settings_of_fold(config, fold, args.folds))
    allowed = ['--allow-leakage'] if args.allow_leakage else []
    training = [args.config, *common, '--resume', *_training_flags(args), *options]
    run_command('train', training, folder, f'fold {fold}', lock)
    checkpoint = str(best_checkpoint(folder))
    testing = [args.config, checkpoint, *common, *allowed, *options]
    run_command('test', testing, folder, f'fold {fold}', lock)


def folder_of(config: Config, fold: int) -> Path:
    """The work directory of a fold."""
    return Path(config.work_dir) / f'fold_{fold}'


def bind_fold(config: Config, fold: int, args: argparse.Namespace) -> None:
    """Bind a fold's folder to its settings, and refuse the folder of a different run."""
    folder = folder_of(config, fold)
    of_fold = Config(config._cfg_dict.to_dict())
    of_fold.merge_from_dict(settings_of_fold(config, fold, args.folds))
    settings = {'arguments': ' '.join(_training_flags(args)), **portable_settings(of_fold)}
    if is_finished(folder) or any(folder.glob('*.pth')):
        bind_run_folder(folder / METADATA, settings, REMEDY)
    else:  # a run that failed before its first checkpoint does not bind the folder
        atomic_write_text(folder / METADATA, json_text(settings))


def _training_flags(args: argparse.Namespace) -> list[str]:
    seed = ['--seed', str(args.seed)] if args.seed is not None else []
    return [*(['--amp'] if args.amp else []), *seed]


def summarise(config: Config, folders: list[Path], args: argparse.Namespace) -> str:
    """Write the pooled predictions, their plots and metrics; return the report."""
    work_dir = Path(config.work_dir)
    metric = test_metric(config)
    if not isinstance(metric, PredictionMetric):
        raise UserError(f'{type(metric).__name__} writes no table of predictions to pool')
    predictions = pooled_predictions(folders)
    pooled = metric.summarise(predictions)
    folds = over_folds(folders, metric.prefix)
    atomic_write_text(work_dir / PREDICTIONS, predictions.to_csv(index=False))
    (work_dir / 'plots').mkdir(exist_ok=True)
    for name, figure in metric.plots(predictions).items():
        figure.savefig(work_dir / 'plots' / f'{name}.png', dpi=150)
    results = [read_json(folder / RESULT) for folder in folders]
    source = predictions['source'].iloc[0] if 'source' in predictions else results[0]['data']
    seeds = sorted({result['trained']['seed'] for result in results})
    commits = sorted({str(result['commit']) for result in results})
    head = (
        f'# {Path(args.config).stem}: {len(folders)} folds\n\n'
        f'{len(predictions)} recordings of {predictions["patient"].nunique()} patients; {source}. '
        f'Seed {seeds[0]}, tested at commit {", ".join(commits)}. Each fold was scored once; '
        'intervals come from a bootstrap over patients of the pooled predictions.\n'
    )
    text = f'{head}\n{report(metric, folds, pooled)}\n'
    atomic_write_text(work_dir / 'cross_validation.md', text)
    summary = {
        'config': args.config,
        'commits': commits,
        'seeds': seeds,
        'source': source,
        'recordings': len(predictions),
        'patients': int(predictions['patient'].nunique()),
        'folds': {name: figure._asdict() for name, figure in folds.items()},
        'pooled': flatten(pooled),
        'config_text': config.pretty_text,
    }
    atomic_write_text(work_dir / 'cross_validation.json', json_text(summary))
    return text


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    config = load_config(args.config, args.work_dir)
    apply_cfg_options(config, args.cfg_options)
    if args.launcher != 'none':
        raise UserError('--launcher: a fold runs in one process; run folds elsewhere with --fold')
    patients = assign_patients(config, args.folds)
    num_folds = max(patients.values()) + 1
    if args.fold is not None and args.fold >= num_folds:
        raise UserError(f'--fold {args.fold}: expected 0 to {num_folds - 1}')
    work_dir = Path(config.work_dir)
    work_dir.mkdir(parents=True, exist_ok=True)
    keep_patients(work_dir / 'folds.csv', patients)
    folders = [folder_of(config, fold) for fold in range(num_folds)]
    for fold in range(num_folds) if args.fold is None else [args.fold]:
        started = time.perf_counter()
        folders[fold].mkdir(exist_ok=True)
        with folder_lock(folders[fold]) as lock:
            bind_fold(config, fold, args)
            if not is_finished(folders[fold]):
                run_fold(config, fold, args, lock)
        print(f'fold {fold} of {num_folds}: finished, {time.perf_counter() - started:.0f} s')
    missing = [folder.name for folder in folders if not is_finished(folder)]
    if missing:
        print(f'no summary yet: {", ".join(missing)} in {work_dir} are unfinished')
    else:
        for fold in range(num_folds):
            bind_fold(config, fold, args)
        print(f'\n{summarise(config, folders, args)}\nAll results are in {work_dir}')
