"""Run what a table of the paper needs, and write the table.

    python tools/reproduce.py table1 table5                        # EchoNet-Dynamic in data/
    python tools/reproduce.py all --phantom --budget small         # synthetic recordings, an hour
    python tools/reproduce.py all --dry-run                        # what would be run

Each step (a pretraining, a fine-tuning, a cross-validation) has a folder of its own below --out
with its log; what is finished is not run again, and what was interrupted goes on. Steps that tables
share are run once. The tables go to results/, those of phantoms to results/phantom/, and those of a
smaller budget to a folder of its name therein.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from argument_types import at_least
from child_process import Child, Children, held, run_tool
from cross_validate import best_checkpoint
from launch import NO_GPU
from mistakes import UserError, report_user_errors
from rich.console import Console
from step_notes import claim, digest_of, missing_data, note_of, require_data, require_origins

from echocardmae_mm.engine import to_cfg_options
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.reproduction import ALL, BUDGETS, Setup, Step, plan, write_table
from echocardmae_mm.reproduction.expected_time import expected_seconds
from echocardmae_mm.reproduction.table_report import NOTE
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text

ROOT = Path(__file__).parents[1]
FOLDERS = {'echonet': 'EchoNet-Dynamic', 'camus': 'CAMUS', 'hmcqu': 'HMC-QU'}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('tables', nargs='+', metavar='TABLE', help=f'{", ".join(ALL)} or all')
    add('--phantom', action='store_true', help='on synthetic recordings, which are made first')
    add('--budget', choices=list(BUDGETS), default='full', help='how much is run')
    add('--seeds', type=at_least(1), default=1, metavar='N', help='of everything, from 0 on')
    add('--jobs', type=at_least(1), default=1, metavar='J', help='steps that run at the same time')
    add('--amp', action='store_true', help='mixed precision')
    add('--data', type=Path, default=Path('data'), help=f'folder of {", ".join(FOLDERS.values())}')
    add('--packed', type=Path, help='store of EchoNet-Dynamic that tools/pack_videos.py made')
    add('--out', type=Path, default=Path('work_dirs/reproduce'), help='folder of the steps')
    add('--results', type=Path, default=Path('results'), help='folder of the tables')
    add('--dry-run', action='store_true', help='say what would be run, and run nothing')
    args = parser.parse_args()
    if 'all' in args.tables:
        args.tables = list(ALL)
    if unknown := [name for name in args.tables if name not in ALL]:
        raise UserError(f'{unknown[0]}: no such table; choose of {", ".join(ALL)} or all')
    return args


def setup_of(args: argparse.Namespace) -> Setup:
    """Where the data are, and how much is run."""
    small = '_small' if args.budget == 'small' else ''
    data = Path(f'data/phantom{small}') if args.phantom else args.data
    packed = Path(f'data/packed/phantom{small}') if args.phantom else args.packed
    return Setup(
        configs=ROOT / 'configs',
        budget=BUDGETS[args.budget],
        phantom=args.phantom,
        data={name: data / folder for name, folder in FOLDERS.items()},
        packed=packed,
    )


def make_phantoms(steps: list[Step], setup: Setup, root: Path) -> None:
    """Make what is missing of the synthetic recordings that steps read, and a store of them."""
    data, packed = setup.data['echonet'].parent, setup.packed
    assert packed is not None
    jobs = str(os.cpu_count() or 1)
    videos, patients, recordings = map(str, setup.budget.phantoms)
    sizes = ['--videos', videos, '--camus', patients, '--hmcqu', recordings]
    read = {step.settings['data_root'] for step in steps}
    which = ['--datasets', *(name for name in FOLDERS if str(setup.data[name]) in read)]
    which += ['--seed', '1', '--out', str(data), '--jobs', jobs]
    run_tool('make_phantoms.py', [*sizes, *which], root, 'phantoms')
    if not (packed / 'index.json').is_file():
        arguments = [str(setup.data['echonet']), '--out', str(packed), '--jobs', jobs]
        run_tool('pack_videos.py', arguments, root, 'store')


def calls(step: Step, root: Path, args: argparse.Namespace) -> Iterator[tuple[str, list[str]]]:
    """Tools of a step and their command lines, each known when the one before has ended."""
    folder = root / step.name
    checkpoints = [str(best_checkpoint(root / name)) for name in step.needs]
    settings = {
        **step.settings,
        **{f'{part}.init_cfg.checkpoint': checkpoints[0] for part in step.starts},
    }
    options = to_cfg_options(settings)
    if step.kind == 'consistency':
        first, second = ([step.config, checkpoint] for checkpoint in checkpoints)
        names = ['--names', 'without', 'with', '--out', str(folder)]
        yield 'clip_consistency.py', [*first, '--vs', *second, *names, '--force', *options]
        return
    common = ['--work-dir', str(folder), '--seed', str(step.seed), *(['--amp'] * args.amp)]
    if step.kind == 'cross_validate':
        folds = [] if step.folds is None else ['--folds', str(step.folds)]
        yield 'cross_validate.py', [step.config, *common, *folds, *options]
        return
    yield 'train.py', [step.config, *common, '--resume', *options]
    if step.kind == 'finetune':
        tested = [step.config, str(best_checkpoint(folder)), '--work-dir', str(folder), '--plot']
        yield 'test.py', [*tested, *options]


class Job:
    """A step at work: one tool after the other, its note kept up to date."""

    def __init__(
        self,
        step: Step,
        root: Path,
        note: dict[str, Any],
        args: argparse.Namespace,
        children: Children,
    ) -> None:
        self.step = step
        self.folder = root / step.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.note = note
        self.note['started_from'] = {
            name: digest_of(best_checkpoint(root / name)) for name in step.needs
        }
        self.children = children
        self.stack = ExitStack()
        self.lock = self.stack.enter_context(held(self.folder))
        self.calls = calls(step, root, args)
        self.started = time.perf_counter()
        self.keep(finished=False)
        self.child = self._start(next(self.calls))

    def _start(self, call: tuple[str, list[str]]) -> Child:
        return self.children.start(*call, self.folder, self.step.name, self.lock, environment())

    def has_ended(self) -> bool:
        """Go on to the next tool where one has ended; true if there is none, or it was stopped."""
        if self.child.is_running():
            return False
        self.keep(finished=False)
        if not self.children.signals:
            self.child.require_success()
            call = next(self.calls, None)
            if call is not None:
                self.child = self._start(call)
                return False
            self.keep(finished=True)
        self.stack.close()
        return True

    def keep(self, finished: bool) -> None:
        """Write the step's note."""
        now = time.perf_counter()
        seconds = self.note['seconds'] + now - self.started
        self.note.update(seconds=seconds, finished=finished)
        self.started = now
        atomic_write_text(self.folder / NOTE, json_text(self.note))


def environment() -> dict[str, str]:
    """On a CPU each step that runs beside others has its share of the cores."""
    if not NO_GPU:
        return dict(os.environ)
    keep_memory = {'MALLOC_MMAP_MAX_': '0', 'MALLOC_TRIM_THRESHOLD_': str(1 << 32)}
    return {'OMP_NUM_THREADS': '1', **keep_memory, **os.environ}


def run(steps: list[Step], root: Path, args: argparse.Namespace) -> None:
    """Run what is not finished, several steps at a time, each behind what it needs."""
    notes = {step.name: claim(step, root, args.amp) for step in steps}
    require_origins(steps, root, notes)
    finished = {name for name, note in notes.items() if note['finished']}
    waiting = [step for step in steps if step.name not in finished]
    require_data(waiting)
    running: list[Job] = []
    with Children() as children, Console(stderr=True).status('starting') as status:
        try:
            while running or (waiting and not children.signals):
                ready = [step for step in waiting if finished.issuperset(step.needs)]
                for step in ready[: args.jobs - len(running)] if not children.signals else ():
                    running.append(Job(step, root, notes[step.name], args, children))
                    waiting.remove(step)
                for job in [job for job in running if job.has_ended()]:
                    running.remove(job)
                    if job.note['finished']:
                        finished.add(job.step.name)
                        minutes = job.note['seconds'] / 60
                        print(f'{job.step.name}: finished in {minutes:.1f} min', flush=True)
                done = f'{len(finished)} of {len(steps)} steps finished'
                status.update('\n'.join([done, *(job.child.progress() for job in running)]))
                time.sleep(0.2)
        except BaseException:
            children.stop()
            for job in running:
                job.keep(finished=False)
            raise
    children.leave_if_stopped('reproduction')


def describe(steps: list[Step], root: Path, setup: Setup) -> str:
    """The plan, with times that steps of the same kind have taken, here or where we measured."""
    notes = {step.name: note_of(step, root) for step in steps}
    taken: dict[tuple[str, str], list[float]] = {}
    for step in steps:
        note = notes[step.name]
        if note and note['finished']:
            taken.setdefault((step.kind, step.config), []).append(note['seconds'])
    rows, total, unknown = [], 0.0, 0
    for step in steps:
        note = notes[step.name]
        if note and note['finished']:
            rows.append((step.name, 'finished', f'{note["seconds"] / 60:.1f} min'))
            continue
        like = taken.get((step.kind, step.config))
        seconds = sum(like) / len(like) if like else expected_seconds(step, setup)
        unknown += seconds is None
        total += seconds or 0.0
        estimate = 'not known yet' if seconds is None else f'about {seconds / 60:.1f} min'
        rows.append((step.name, 'half-finished' if note else 'to run', estimate))
    table = markdown_table(('step', '', 'time'), rows)
    rest = f'; {unknown} of kinds that have not been run here' if unknown else ''
    waiting = [step for step in steps if not (notes[step.name] or {}).get('finished')]
    missing = [] if setup.phantom else missing_data(waiting)
    lacking = f'\nNot there: {", ".join(missing)}' if missing else ''
    return f'{table}\n\nTo run: about {total / 60:.0f} min one after the other{rest}{lacking}'


def results_of(args: argparse.Namespace) -> Path:
    """Folder of the tables; those of a part of the epochs stand apart."""
    folder = args.results / 'phantom' if args.phantom else args.results
    return folder if args.budget == 'full' else folder / args.budget


def require_no_more_seeds(args: argparse.Namespace) -> None:
    """Refuse to write tables in place of others that rest on more."""
    for name in args.tables:
        path = results_of(args) / f'{name}.md'
        told = re.search(r'^(\d+) seed', path.read_text(), re.MULTILINE) if path.is_file() else None
        if told and int(told[1]) > args.seeds:
            raise UserError(
                f'{path} is of {told[1]} seeds, and --seeds is {args.seeds}\n'
                'Choose another --results, or remove it: nothing is overwritten'
            )


@report_user_errors
def main() -> None:
    args = parse_args()
    setup = setup_of(args)
    steps = plan(args.tables, args.seeds, setup)
    root = args.out / f'{"phantom_" * args.phantom}{args.budget}'
    if args.dry_run:
        print(describe(steps, root, setup))
        return
    require_no_more_seeds(args)
    root.mkdir(parents=True, exist_ok=True)
    if args.phantom:
        make_phantoms(steps, setup, root)
    run(steps, root, args)
    for name in args.tables:
        print(write_table(name, root, results_of(args), steps, args.seeds, setup), flush=True)


if __name__ == '__main__':
    main()
