"""Run one job of a reproduction; the rules in ``workflow/Snakefile`` call this module.

python -m echocardmae_mm.cli.reproduction_step PLAN JOB NAME LOG
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from echocardmae_mm.cli.main import main as echocardmae
from echocardmae_mm.cli.phantoms import DATASETS
from echocardmae_mm.cli.step_metadata import (
    best_checkpoint,
    bind_step,
    started_from,
    write_metadata,
)
from echocardmae_mm.cli.workflow import read_plan
from echocardmae_mm.reproduction import Plan, Step, write_table
from echocardmae_mm.utils.config_overrides import to_cfg_options
from echocardmae_mm.utils.errors import UserError


def make_phantoms(plan: Plan, folder: str) -> None:
    """Make the missing phantoms of a data set."""
    sizes = zip(('--videos', '--camus', '--hmcqu'), map(str, plan.setup.budget.phantoms))
    names = [name for name, module in DATASETS.items() if folder == module.FOLDER]
    arguments = [word for pair in sizes for word in pair]
    arguments += ['--datasets', *names, '--seed', '1', '--out', str(plan.setup.data)]
    echocardmae(['phantoms', *arguments])


def pack(plan: Plan, folder: str) -> None:
    """Pack the phantoms of a data set."""
    if not (Path(str(plan.setup.packed)) / 'index.json').is_file():
        echocardmae(['pack', str(plan.setup.data / folder), '--out', str(plan.setup.packed)])


def command(plan: Plan, job: str, step: Step) -> list[str]:
    """The command of a job of a step, and its arguments."""
    root, folder = plan.root, plan.root / step.name
    settings = dict(step.settings)
    if step.starts:
        settings.update(dict.fromkeys(step.starts, str(best_checkpoint(root / step.needs[0]))))
    options = to_cfg_options(settings)
    if job == 'compare':
        first, second = ([step.config, str(best_checkpoint(root / name))] for name in step.needs)
        names = ['--names', 'without', 'with', '--out', str(folder)]
        return ['clip-consistency', *first, '--vs', *second, *names, '--force', *options]
    if job == 'test':
        tested = [step.config, str(best_checkpoint(folder))]
        return ['test', *tested, '--work-dir', str(folder), '--plot', *options]
    common = ['--seed', str(step.seed), *(['--amp'] if plan.amp else [])]
    if job == 'train':
        return ['train', step.config, '--work-dir', str(folder), '--resume', *common, *options]
    if step.folds is not None:
        common += ['--folds', str(step.folds)]
    if step.fold is not None:
        common += ['--fold', str(step.fold)]
        folder = folder.parent
    return ['cross-validate', step.config, '--work-dir', str(folder), *common, *options]


def run_step(plan: Plan, job: str, name: str) -> None:
    """Run a job of a step, and keep its duration and its origins."""
    step = plan.steps[name]
    metadata = bind_step(step, plan.root, plan.amp)
    if metadata['finished'] and job in ('train', 'fold', 'test'):
        return
    metadata['started_from'] = started_from(step, plan.root)
    write_metadata(step, plan.root, metadata)
    started, before = time.perf_counter(), metadata['seconds']
    finished = False
    try:
        echocardmae(command(plan, job, step))
        finished = job != 'train' or step.rule == 'pretraining'
    finally:
        seconds = before + time.perf_counter() - started
        write_metadata(step, plan.root, {**metadata, 'seconds': seconds, 'finished': finished})


@contextmanager
def output_to(log: str) -> Iterator[None]:
    """Append the output of this process and its children to a file."""
    kept = [os.dup(stream) for stream in (1, 2)]
    with open(log, 'a', encoding='utf-8') as file:
        _redirect([file.fileno()] * 2)
    try:
        yield
    finally:
        _redirect(kept)


def _redirect(descriptors: Sequence[int]) -> None:
    for stream, descriptor in zip((sys.stdout, sys.stderr), descriptors):
        stream.flush()
        os.dup2(descriptor, stream.fileno())


def main(argv: Sequence[str]) -> None:
    path, job, name, log = argv
    others: dict[str, Callable[[Plan, str], Any]] = {
        'phantoms': make_phantoms,
        'store': pack,
        'table': write_table,
    }
    started = time.perf_counter()
    log = str(Path(log).absolute())
    print(f'{name}: {job} started', flush=True)
    message = ''
    with output_to(log):
        try:
            plan = read_plan(path)
            if job in others:
                others[job](plan, name)
            else:
                run_step(plan, job, name)
        except SystemExit as end:
            if not isinstance(end.code, str):
                raise
            print(end.code)
            message = end.code.removeprefix('error: ')
        except (UserError, FileNotFoundError) as error:
            message = str(error)
            print(f'error: {message}')
        except Exception as error:
            traceback.print_exc()
            message = f'{type(error).__name__}: {error}'.partition('\n')[0]
    if message:
        if '(log: ' not in message:  # a fold names the log of its training
            message += f'\n(log: {os.path.relpath(log)})'
        print(f'error: {name}, {job}: {message}', flush=True)
        sys.exit(1)
    minutes = (time.perf_counter() - started) / 60
    print(f'{name}: {job} finished in {minutes:.1f} min', flush=True)


if __name__ == '__main__':
    main(sys.argv[1:])
