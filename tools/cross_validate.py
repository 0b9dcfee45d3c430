"""Train and test every fold of a config whose data sets have folds, and sum the folds up.

    python tools/cross_validate.py configs/ef_camus.py              # all folds, then the summary
    python tools/cross_validate.py configs/ef_camus.py --fold 3     # on this machine only this one

A finished fold is not run again and an interrupted one goes on where it was. The folds' folders
(fold_0, fold_1, ...) may come from different machines: put them side by side and call the first
command. The held-out fold is scored once, with the checkpoint that was best on the validation
patients, or the last one where the config has none.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from argument_types import at_least, seed
from child_process import held, run_tool
from launch import add_common_arguments, load_config, override
from mistakes import UserError, report_user_errors
from mmengine.config import Config
from mmengine.registry import DATASETS, METRICS, init_default_scope

from echocardmae_mm.datasets.patient_folds import read_folds, write_folds
from echocardmae_mm.engine import settings_of, to_cfg_options
from echocardmae_mm.evaluation import PREDICTIONS, RESULT
from echocardmae_mm.evaluation.cross_validation import (
    is_finished,
    over_folds,
    pooled_predictions,
    report,
)
from echocardmae_mm.evaluation.prediction_metric import PredictionMetric, flatten
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
SETTINGS = 'fold.json'
# What may differ between the machines that run the folds.
OF_THE_MACHINE = {'data_root', 'packed', 'work_dir', 'num_workers', 'persistent_workers'}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='path of the config')
    parser.add_argument(
        '--folds', type=at_least(2), metavar='K', help="in place of the config's num_folds"
    )
    parser.add_argument('--fold', type=at_least(0), metavar='I', help='run this fold only, from 0')
    parser.add_argument('--work-dir', help='where the folds and the summary go')
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument('--seed', type=seed, help='seed of every fold')
    parser.add_argument(
        '--allow-leakage',
        action='store_true',
        help='test on recordings that the encoder was pretrained on too; the results say so',
    )
    add_common_arguments(parser)
    return parser.parse_args()


def settings_of_fold(config: Config, fold: int, folds: int | None) -> dict[str, int]:
    """Settings that hold one fold out of every data set of the config."""
    settings: dict[str, int] = {}
    for loader in LOADERS:
        for place in _places_of_folds(config.get(loader), loader):
            settings[f'{place}.fold'] = fold
            if folds is not None:
                settings[f'{place}.num_folds'] = folds
    if not settings:
        raise UserError(
            f'{config.filename}: no data set has folds; it needs fold=0, as CAMUSDataset'
        )
    return settings


def _places_of_folds(part: Any, place: str) -> list[str]:
    if isinstance(part, dict):
        here = [place] if 'fold' in part else []
        return here + [
            p for key, value in part.items() for p in _places_of_folds(value, f'{place}.{key}')
        ]
    if isinstance(part, (list, tuple)):
        return [p for i, item in enumerate(part) for p in _places_of_folds(item, f'{place}.{i}')]
    return []


def assign_patients(config: Config, folds: int | None) -> dict[str, int]:
    """Fold of each patient, as the test set of the first fold says it."""
    init_default_scope(config.default_scope)
    first = Config(config._cfg_dict.to_dict())
    first.merge_from_dict(settings_of_fold(config, 0, folds))
    dataset = DATASETS.build(first.test_dataloader.dataset)
    dataset.full_init()
    if folds is not None and folds != max(dataset.folds.values()) + 1:
        raise UserError(f'--folds {folds}: the fold_file of the config says otherwise')
    return dataset.folds


def keep_patients(path: Path, patients: dict[str, int]) -> None:
    """Store who is in which fold, and refuse a folder whose folds are others."""
    if not path.is_file():
        write_folds(path, patients)
    elif read_folds(path, patients) != patients:
        raise UserError(
            f'{path} says otherwise who is in which fold\n'
            'Choose another --work-dir, or remove it: nothing is overwritten'
        )


def run_fold(config: Config, fold: int, args: argparse.Namespace) -> None:
    """Train and test one fold, each in a process of its own whose output is kept."""
    folder = folder_of(config, fold)
    common = ['--work-dir', str(folder)]
    options = {**(args.cfg_options or {}), **settings_of_fold(config, fold, args.folds)}
    written = to_cfg_options(options)
    allowed = ['--allow-leakage'] if args.allow_leakage else []
    with held(folder) as lock:
        training = [args.config, *common, '--resume', *_chosen(args), *written]
        run_tool('train.py', training, folder, f'fold {fold}', lock)
        checkpoint = str(best_checkpoint(folder))
        testing = [args.config, checkpoint, *common, *allowed, *written]
        run_tool('test.py', testing, folder, f'fold {fold}', lock)


def folder_of(config: Config, fold: int) -> Path:
    """The work directory of a fold."""
    return Path(config.work_dir) / f'fold_{fold}'


def best_checkpoint(folder: Path) -> Path:
    """The checkpoint that was best in validation, else the last one."""
    best = sorted(folder.glob('best_*.pth'), key=lambda path: path.stat().st_mtime)
    return best[-1] if best else Path((folder / 'last_checkpoint').read_text().strip())


def claim(config: Config, fold: int, args: argparse.Namespace) -> None:
    """Note what a fold's folder is for, and refuse one that is for something else."""
    folder = folder_of(config, fold)
    told = Config(config._cfg_dict.to_dict())
    told.merge_from_dict(settings_of_fold(config, fold, args.folds))
    settings = {'arguments': ' '.join(_chosen(args)), **_of_any_machine(settings_of(told))}
    settings = json.loads(json_text(settings))
    note = folder / SETTINGS
    begun = any(folder.glob('*.pth'))
    if begun and not note.is_file():
        raise UserError(f'{folder} holds a run, and no {SETTINGS} that says of what: remove it')
    if not begun:  # What failed before it trained does not bind.
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write_text(note, json_text(settings))
        return
    before = json.loads(note.read_text())
    if differs := sorted(k for k in before | settings if before.get(k) != settings.get(k)):
        name = differs[0]
        raise UserError(
            f'{folder} was made by other settings: {name} was {before.get(name)}, is '
            f'{settings.get(name)}\nChoose another --work-dir, or remove it: nothing is overwritten'
        )


def _of_any_machine(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        place: value
        for place, value in settings.items()
        if not OF_THE_MACHINE & set(place.split('.'))
    }


def _chosen(args: argparse.Namespace) -> list[str]:
    seed = ['--seed', str(args.seed)] if args.seed is not None else []
    return [*(['--amp'] if args.amp else []), *seed]


def summarise(config: Config, folders: list[Path], args: argparse.Namespace) -> str:
    """Write the pooled predictions, their pictures and the figures; give the report."""
    work_dir = Path(config.work_dir)
    evaluator = config.test_evaluator
    metric = METRICS.build(evaluator if isinstance(evaluator, dict) else evaluator[0])
    if not isinstance(metric, PredictionMetric):
        raise UserError(f'{type(metric).__name__} keeps no table of predictions to pool')
    predictions = pooled_predictions(folders)
    pooled = metric.summarise(predictions)
    folds = over_folds(folders, metric.prefix)
    atomic_write_text(work_dir / PREDICTIONS, predictions.to_csv(index=False))
    (work_dir / 'plots').mkdir(exist_ok=True)
    for name, figure in metric.plots(predictions).items():
        figure.savefig(work_dir / 'plots' / f'{name}.png', dpi=150)
    results = [json.loads((folder / RESULT).read_text()) for folder in folders]
    source = predictions['source'].iloc[0] if 'source' in predictions else results[0]['data']
    seeds = sorted({result['trained']['seed'] for result in results})
    commits = sorted({str(result['commit']) for result in results})
    head = (
        f'# {Path(args.config).stem}: {len(folders)} folds\n\n'
        f'{len(predictions)} recordings of {predictions["patient"].nunique()} patients; {source}. '
        f'Seed {seeds[0]}, tested at commit {", ".join(commits)}. Each fold was scored once; '
        'intervals are of a bootstrap over patients of the pooled predictions.\n'
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
def main() -> None:
    args = parse_args()
    config = load_config(args)
    override(config, args.cfg_options)
    if args.launcher != 'none':
        raise UserError('--launcher: a fold runs in one process; spread folds by --fold')
    patients = assign_patients(config, args.folds)
    num_folds = max(patients.values()) + 1
    if args.fold is not None and not 0 <= args.fold < num_folds:
        raise UserError(f'--fold {args.fold}: the {num_folds} folds are 0 to {num_folds - 1}')
    work_dir = Path(config.work_dir)
    work_dir.mkdir(parents=True, exist_ok=True)
    keep_patients(work_dir / 'folds.csv', patients)
    folders = [folder_of(config, fold) for fold in range(num_folds)]
    for fold in range(num_folds) if args.fold is None else [args.fold]:
        started = time.perf_counter()
        claim(config, fold, args)
        if not is_finished(folders[fold]):
            run_fold(config, fold, args)
        print(f'fold {fold} of {num_folds}: finished, {time.perf_counter() - started:.0f} s')
    missing = [folder.name for folder in folders if not is_finished(folder)]
    if missing:
        print(f'no summary yet: {", ".join(missing)} of {work_dir} are not finished')
    else:
        for fold in range(num_folds):
            claim(config, fold, args)
        print(f'\n{summarise(config, folders, args)}\nEverything is in {work_dir}')


if __name__ == '__main__':
    main()
