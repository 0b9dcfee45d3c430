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
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from launch import Mistake, add_common_arguments, load_config, no_traceback_for_mistakes, override
from mmengine.config import Config
from mmengine.registry import DATASETS, METRICS, init_default_scope
from rich.console import Console

from echocardmae_mm.datasets.patient_folds import write_folds
from echocardmae_mm.evaluation.cross_validation import (
    PREDICTIONS,
    RESULT,
    is_finished,
    over_folds,
    pooled_predictions,
    report,
)
from echocardmae_mm.evaluation.prediction_metric import flatten

TOOLS = Path(__file__).parent
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
CONFIG_OF_FOLD = 'fold_config.txt'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='path of the config')
    parser.add_argument('--folds', type=int, metavar='K', help="in place of the config's num_folds")
    parser.add_argument('--fold', type=int, metavar='I', help='run this fold only, from 0')
    parser.add_argument('--work-dir', help='where the folds and the summary go')
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument('--seed', type=int, help='seed of every fold')
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
        raise Mistake(f'{config.filename}: no data set has folds; it needs fold=0, as CAMUSDataset')
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
    return dataset.folds


def run_fold(config: Config, fold: int, args: argparse.Namespace) -> None:
    """Train and test one fold, each in a process of its own whose output is kept."""
    folder = Path(config.work_dir) / f'fold_{fold}'
    settings = settings_of_fold(config, fold, args.folds)
    chosen = ['--amp'] if args.amp else []
    chosen += ['--seed', str(args.seed)] if args.seed is not None else []
    _claim(folder, config, settings, chosen)
    if is_finished(folder):
        return
    options = {**(args.cfg_options or {}), **settings}
    common = ['--work-dir', str(folder)]
    written = ['--cfg-options', *(f'{name}={_written(value)}' for name, value in options.items())]
    _run('train.py', [args.config, *common, '--resume', *chosen, *written], folder, fold)
    checkpoint = best_checkpoint(folder)
    _run('test.py', [args.config, str(checkpoint), *common, *written], folder, fold)


def best_checkpoint(folder: Path) -> Path:
    """The checkpoint that was best in validation, else the last one."""
    best = sorted(folder.glob('best_*.pth'), key=lambda path: path.stat().st_mtime)
    return best[-1] if best else Path((folder / 'last_checkpoint').read_text().strip())


def _claim(folder: Path, config: Config, settings: dict[str, int], arguments: list[str]) -> None:
    """Note what the folder is for, and refuse one that is for something else."""
    told = Config(config._cfg_dict.to_dict())
    told.merge_from_dict(settings)
    told.work_dir = None
    text = f'# {" ".join(arguments)}\n{told.pretty_text}'
    note = folder / CONFIG_OF_FOLD
    if not note.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        note.write_text(text)
    elif note.read_text() != text:
        raise Mistake(
            f'{folder} was made by another config or other settings\n'
            'Choose another --work-dir, or remove it: nothing is overwritten'
        )


def _written(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f'[{",".join(map(_written, value))}]'
    return str(value)


def _run(tool: str, arguments: list[str], folder: Path, fold: int) -> None:
    log = folder / f'{Path(tool).stem}.log'
    command = [sys.executable, str(TOOLS / tool), *arguments]
    with log.open('a') as file, Console(stderr=True).status(f'fold {fold}: {tool}') as status:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout is not None
        try:
            last = ''
            for line in process.stdout:
                file.write(line)
                last = line.strip() or last
                if 'Epoch(' in line:
                    status.update(f'fold {fold}: {line[line.index("Epoch(") :].strip()[:100]}')
            code = process.wait()
        except KeyboardInterrupt:
            # Ctrl-C has reached the fold too, which saves and leaves.
            process.wait()
            sys.exit(f'fold {fold} stopped; the same command goes on from there')
    if code:
        raise Mistake(f'fold {fold}: {tool} ended with status {code}: {last}\nIts log is {log}')


def summarise(config: Config, folders: list[Path], args: argparse.Namespace) -> str:
    """Write the pooled predictions, their pictures and the figures; give the report."""
    work_dir = Path(config.work_dir)
    evaluator = config.test_evaluator
    metric = METRICS.build(evaluator if isinstance(evaluator, dict) else evaluator[0])
    predictions = pooled_predictions(folders)
    pooled = metric.summarise(predictions)
    folds = over_folds(folders, metric.prefix)
    predictions.to_csv(work_dir / PREDICTIONS, index=False)
    (work_dir / 'plots').mkdir(exist_ok=True)
    for name, figure in metric.figures(predictions).items():
        figure.savefig(work_dir / 'plots' / f'{name}.png', dpi=150)
    results = [json.loads((folder / RESULT).read_text()) for folder in folders]
    source = predictions['source'].iloc[0] if 'source' in predictions else results[0]['data']
    commits = sorted({str(result['commit']) for result in results})
    head = (
        f'# {Path(args.config).stem}: {len(folders)} folds\n\n'
        f'{len(predictions)} recordings of {predictions["patient"].nunique()} patients; {source}. '
        f'Seed {results[0]["seed"]}, commit {", ".join(commits)}. Each fold was scored once; '
        'intervals are of a bootstrap over patients of the pooled predictions.\n'
    )
    text = f'{head}\n{report(metric, folds, pooled)}\n'
    (work_dir / 'cross_validation.md').write_text(text)
    summary = {
        'config': args.config,
        'commits': commits,
        'seeds': sorted({result['seed'] for result in results}),
        'source': source,
        'recordings': len(predictions),
        'patients': int(predictions['patient'].nunique()),
        'folds': {name: {'mean': mean, 'sd': sd} for name, (mean, sd) in folds.items()},
        'pooled': flatten(pooled),
        'config_text': config.pretty_text,
    }
    (work_dir / 'cross_validation.json').write_text(json.dumps(summary, indent=2) + '\n')
    return text


def main() -> None:
    with no_traceback_for_mistakes():
        args = parse_args()
        config = load_config(args)
        override(config, args.cfg_options)
        if args.launcher != 'none':
            raise Mistake('--launcher: a fold runs in one process; spread folds by --fold')
        patients = assign_patients(config, args.folds)
        num_folds = max(patients.values()) + 1
        if args.fold is not None and not 0 <= args.fold < num_folds:
            raise Mistake(f'--fold {args.fold}: the {num_folds} folds are 0 to {num_folds - 1}')
        work_dir = Path(config.work_dir)
        work_dir.mkdir(parents=True, exist_ok=True)
        write_folds(work_dir / 'folds.csv', patients)
        for fold in range(num_folds) if args.fold is None else [args.fold]:
            started = time.perf_counter()
            run_fold(config, fold, args)
            print(f'fold {fold} of {num_folds}: finished, {time.perf_counter() - started:.0f} s')
        folders = [work_dir / f'fold_{fold}' for fold in range(num_folds)]
        missing = [folder.name for folder in folders if not is_finished(folder)]
        if missing:
            print(f'no summary yet: {", ".join(missing)} of {work_dir} are not finished')
        else:
            print(f'\n{summarise(config, folders, args)}\nEverything is in {work_dir}')


if __name__ == '__main__':
    main()
