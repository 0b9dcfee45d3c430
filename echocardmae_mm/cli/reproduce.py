"""Run all experiments of a table of the paper, and write the table.

    echocardmae reproduce table1 table5                        # EchoNet-Dynamic in data/
    echocardmae reproduce all --phantom --budget small         # synthetic recordings, about an hour
    echocardmae reproduce all --dry-run                        # print the plan only

Each step (pretraining, fine-tuning or cross-validation) has its own folder and logs below --out.
Repeat the command to continue: it keeps finished steps and resumes interrupted ones. Tables share
steps. Tables go to results/, tables of phantoms to results/phantom/, and tables of a smaller budget
to a subfolder named after it.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from echocardmae_mm.cli.arguments import at_least, command_parser
from echocardmae_mm.cli.child_process import Child, Children, run_command
from echocardmae_mm.cli.configuration import NO_GPU, PACKAGED
from echocardmae_mm.cli.run_folder import folder_lock
from echocardmae_mm.cli.step_metadata import (
    Metadata,
    best_checkpoint,
    bind_step,
    missing_data,
    read_metadata,
    require_data,
    require_origins,
    sha256,
)
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.reproduction import ALL, BUDGETS, Setup, Step, plan, write_table
from echocardmae_mm.reproduction.expected_time import expected_seconds
from echocardmae_mm.reproduction.table_report import STEP_METADATA
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text
from echocardmae_mm.utils.config import to_cfg_options
from echocardmae_mm.utils.errors import UserError

FOLDERS = {'echonet': 'EchoNet-Dynamic', 'camus': 'CAMUS', 'hmcqu': 'HMC-QU'}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('reproduce', __doc__)
    add = parser.add_argument
    add('tables', nargs='+', metavar='TABLE', help=f'{", ".join(ALL)} or all')
    add('--phantom', action='store_true', help='make synthetic recordings and use them')
    add(
        '--budget',
        choices=list(BUDGETS),
        default='full',
        help='share of epochs, folds and data',
    )
    add('--seeds', type=at_least(1), default=1, metavar='N', help='repeat everything with N seeds')
    add('--jobs', type=at_least(1), default=1, metavar='J', help='run J steps at the same time')
    add('--amp', action='store_true', help='mixed precision')
    add(
        '--data',
        type=Path,
        default=Path('data'),
        help=f'parent of {", ".join(FOLDERS.values())}',
    )
    add('--packed', type=Path, help='store of EchoNet-Dynamic made by echocardmae pack')
    add('--out', type=Path, default=Path('work_dirs/reproduce'), help='folder of the steps')
    add('--results', type=Path, default=Path('results'), help='folder of the tables')
    add('--dry-run', action='store_true', help='print the plan and run nothing')
    args = parser.parse_args(argv)
    if 'all' in args.tables:
        args.tables = list(ALL)
    if unknown := [name for name in args.tables if name not in ALL]:
        raise UserError(f'{unknown[0]}: no such table; choose from {", ".join(ALL)} or all')
    return args


def setup_of(args: argparse.Namespace) -> Setup:
    """Folders and budget from the command line."""
    small = '_small' if args.budget == 'small' else ''
    data = Path(f'data/phantom{small}') if args.phantom else args.data
    packed = Path(f'data/packed/phantom{small}') if args.phantom else args.packed
    return Setup(
        configs=PACKAGED,
        budget=BUDGETS[args.budget],
        phantom=args.phantom,
        data={name: data / folder for name, folder in FOLDERS.items()},
        packed=packed,
    )


def make_phantoms(steps: list[Step], setup: Setup, root: Path) -> None:
    """Make the missing phantoms that steps read, and a store of them."""
    data, packed = setup.data['echonet'].parent, setup.packed
    assert packed is not None
    jobs = str(os.cpu_count() or 1)
    videos, patients, recordings = map(str, setup.budget.phantoms)
    sizes = ['--videos', videos, '--camus', patients, '--hmcqu', recordings]
    read = {step.settings['data_root'] for step in steps}
    which = ['--datasets', *(name for name in FOLDERS if str(setup.data[name]) in read)]
    which += ['--seed', '1', '--out', str(data), '--jobs', jobs]
    run_command('phantoms', [*sizes, *which], root, 'phantoms')
    if not (packed / 'index.json').is_file():
        arguments = [str(setup.data['echonet']), '--out', str(packed), '--jobs', jobs]
        run_command('pack', arguments, root, 'store')


def commands(step: Step, root: Path, args: argparse.Namespace) -> Iterator[tuple[str, list[str]]]:
    """Commands of a step and their arguments; the later ones need results of the earlier ones."""
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
        yield 'clip-consistency', [*first, '--vs', *second, *names, '--force', *options]
        return
    common = ['--work-dir', str(folder), '--seed', str(step.seed)]
    if args.amp:
        common.append('--amp')
    if step.kind == 'cross_validate':
        folds = [] if step.folds is None else ['--folds', str(step.folds)]
        yield 'cross-validate', [step.config, *common, *folds, *options]
        return
    yield 'train', [step.config, *common, '--resume', *options]
    if step.kind == 'finetune':
        tested = [step.config, str(best_checkpoint(folder)), '--work-dir', str(folder), '--plot']
        yield 'test', [*tested, *options]


class Job:
    """A running step, which starts its commands in turn and updates its metadata."""

    def __init__(
        self,
        step: Step,
        root: Path,
        metadata: Metadata,
        args: argparse.Namespace,
        children: Children,
    ) -> None:
        self.step = step
        self.folder = root / step.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.metadata = metadata
        self.metadata['started_from'] = {
            name: sha256(best_checkpoint(root / name)) for name in step.needs
        }
        self.children = children
        self.stack = ExitStack()
        self.lock = self.stack.enter_context(folder_lock(self.folder))
        self.commands = commands(step, root, args)
        self.started = time.perf_counter()
        self.save(finished=False)
        self.child = self._start(next(self.commands))

    def _start(self, command: tuple[str, list[str]]) -> Child:
        return self.children.start(*command, self.folder, self.step.name, self.lock, environment())

    def has_ended(self) -> bool:
        """Start the next command if one has ended; True if none is left or a signal stopped it."""
        if self.child.is_running():
            return False
        self.save(finished=False)
        if not self.children.signals:
            self.child.require_success()
            command = next(self.commands, None)
            if command is not None:
                self.child = self._start(command)
                return False
            self.save(finished=True)
        self.stack.close()
        return True

    def save(self, finished: bool) -> None:
        """Write the step's metadata."""
        now = time.perf_counter()
        seconds = self.metadata['seconds'] + now - self.started
        self.metadata.update(seconds=seconds, finished=finished)
        self.started = now
        atomic_write_text(self.folder / STEP_METADATA, json_text(self.metadata))


def environment() -> dict[str, str]:
    """Environment of a step: one thread on a CPU, so that steps can share the cores."""
    if not NO_GPU:
        return dict(os.environ)
    keep_memory = {'MALLOC_MMAP_MAX_': '0', 'MALLOC_TRIM_THRESHOLD_': str(1 << 32)}
    return {'OMP_NUM_THREADS': '1', **keep_memory, **os.environ}


def run(steps: list[Step], root: Path, args: argparse.Namespace) -> None:
    """Run unfinished steps, several at a time, each after those that it needs."""
    metadata = {step.name: bind_step(step, root, args.amp) for step in steps}
    require_origins(steps, root, metadata)
    finished = {name for name, one in metadata.items() if one['finished']}
    waiting = [step for step in steps if step.name not in finished]
    require_data(waiting)
    running: list[Job] = []
    with Children() as children, Console(stderr=True).status('starting') as status:
        try:
            while running or (waiting and not children.signals):
                ready = [step for step in waiting if finished.issuperset(step.needs)]
                for step in ready[: args.jobs - len(running)] if not children.signals else ():
                    running.append(Job(step, root, metadata[step.name], args, children))
                    waiting.remove(step)
                for job in [job for job in running if job.has_ended()]:
                    running.remove(job)
                    if job.metadata['finished']:
                        finished.add(job.step.name)
                        minutes = job.metadata['seconds'] / 60
                        print(f'{job.step.name}: finished in {minutes:.1f} min', flush=True)
                done = f'{len(finished)} of {len(steps)} steps finished'
                status.update('\n'.join([done, *(job.child.progress() for job in running)]))
                time.sleep(0.2)
        except BaseException:
            children.stop()
            for job in running:
                job.save(finished=False)
            raise
    children.exit_if_signalled('reproduction')


def describe(steps: list[Step], root: Path, setup: Setup) -> str:
    """The plan, with times of finished steps of the same kind, or else expected times."""
    metadata = {step.name: read_metadata(step, root) or {} for step in steps}
    taken: dict[tuple[str, str], list[float]] = {}
    for step in steps:
        kept = metadata[step.name]
        if kept.get('finished'):
            taken.setdefault((step.kind, step.config), []).append(kept['seconds'])
    rows, total, unknown = [], 0.0, 0
    for step in steps:
        kept = metadata[step.name]
        if kept.get('finished'):
            rows.append((step.name, 'finished', f'{kept["seconds"] / 60:.1f} min'))
            continue
        like = taken.get((step.kind, step.config))
        seconds = sum(like) / len(like) if like else expected_seconds(step, setup)
        unknown += seconds is None
        total += seconds or 0.0
        estimate = 'unknown' if seconds is None else f'about {seconds / 60:.1f} min'
        rows.append((step.name, 'interrupted' if kept else 'to run', estimate))
    table = markdown_table(('step', '', 'time'), rows)
    rest = f'; the time of {unknown} steps is unknown' if unknown else ''
    waiting = [step for step in steps if not metadata[step.name].get('finished')]
    missing = [] if setup.phantom else missing_data(waiting)
    lacking = f'\nMissing: {", ".join(missing)}' if missing else ''
    return f'{table}\n\nTo run: about {total / 60:.0f} min one after the other{rest}{lacking}'


def results_of(args: argparse.Namespace) -> Path:
    """Folder of the tables; smaller budgets have their own."""
    folder = args.results / 'phantom' if args.phantom else args.results
    return folder if args.budget == 'full' else folder / args.budget


def require_as_many_seeds(args: argparse.Namespace) -> None:
    """Refuse to overwrite tables that were computed from more seeds."""
    for name in args.tables:
        path = results_of(args) / f'{name}.md'
        text = path.read_text(encoding='utf-8') if path.is_file() else ''
        found = re.search(r'^(\d+) seed', text, re.MULTILINE)
        if found and int(found[1]) > args.seeds:
            raise UserError(
                f'{path} was computed from {found[1]} seeds, more than --seeds {args.seeds}\n'
                'Choose another --results, or remove the file'
            )


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    setup = setup_of(args)
    steps = plan(args.tables, args.seeds, setup)
    root = args.out / (f'phantom_{args.budget}' if args.phantom else args.budget)
    if args.dry_run:
        print(describe(steps, root, setup))
        return
    require_as_many_seeds(args)
    root.mkdir(parents=True, exist_ok=True)
    if args.phantom:
        make_phantoms(steps, setup, root)
    run(steps, root, args)
    for name in args.tables:
        print(write_table(name, root, results_of(args), steps, args.seeds, setup), flush=True)
