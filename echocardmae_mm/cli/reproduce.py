"""Run all experiments of a table of the paper, and write the table.

    echocardmae reproduce table1 table5                        # EchoNet-Dynamic in data/
    echocardmae reproduce all --phantom --budget small         # synthetic recordings
    echocardmae reproduce all --profile slurm                  # on a cluster
    echocardmae reproduce all --dry-run                        # print the plan only

Snakemake runs the steps: pip install echocardmae_mm[reproduce]. Each step (pretraining,
fine-tuning, fold) has its own folder and logs below --out. Repeat the command to continue: it
keeps finished steps and resumes interrupted ones. Tables share steps. Tables go to results/, tables
of phantoms to results/phantom/, and tables of a smaller budget to a subfolder named after it.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from echocardmae_mm.cli.arguments import at_least, command_parser, worker_count
from echocardmae_mm.cli.configuration import NO_GPU, PACKAGED
from echocardmae_mm.cli.run_folder import folder_lock
from echocardmae_mm.cli.step_metadata import (
    bind_step,
    missing_data,
    read_metadata,
    require_data,
    require_origins,
    write_metadata,
)
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.reproduction import ALL, BUDGETS, Setup, Step, plan, results_of
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text
from echocardmae_mm.utils.errors import UserError

WORKFLOW = PACKAGED.parent / 'workflow'
PLAN, LOG = 'plan.json', 'snakemake.log'


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
    add(
        '--jobs',
        type=worker_count,
        metavar='J',
        help="run J jobs at the same time (default: 1, or the profile's)",
    )
    add(
        '--profile',
        help='Snakemake profile for a cluster: slurm, or a folder',
    )
    add('--amp', action='store_true', help='mixed precision')
    add(
        '--data',
        type=Path,
        default=Path('data'),
        help='parent of EchoNet-Dynamic, CAMUS, HMC-QU',
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
    if find_spec('snakemake') is None:
        raise UserError(
            'reproduce needs Snakemake\nInstall it: pip install "echocardmae_mm[reproduce]"'
        )
    return args


def setup_of(args: argparse.Namespace) -> Setup:
    """Folders and budget from the command line."""
    small = '_small' if args.budget == 'small' else ''
    return Setup(
        configs=PACKAGED,
        budget=BUDGETS[args.budget],
        phantom=args.phantom,
        data=Path(f'data/phantom{small}') if args.phantom else args.data,
        packed=Path(f'data/packed/phantom{small}') if args.phantom else args.packed,
    )


def write_plan(
    path: Path, root: Path, steps: list[Step], setup: Setup, args: argparse.Namespace
) -> None:
    """Write the plan that the workflow reads."""
    content = {
        'python': sys.executable,
        'plan': str(path.absolute()),
        'folder': str(Path.cwd()),
        'root': str(root),
        'results': str(tables_folder(args).absolute()),
        'configs': str(setup.configs),
        'budget': setup.budget,
        'phantom': setup.phantom,
        'data': str(setup.data),
        'packed': setup.packed and str(setup.packed),
        'seeds': args.seeds,
        'amp': args.amp,
        'tables': {name: results_of(name, args.seeds) for name in args.tables},
        'steps': {step.name: step._asdict() for step in steps},
    }
    atomic_write_text(path, json_text(content))


def bind_steps(steps: list[Step], root: Path, args: argparse.Namespace) -> None:
    """Refuse the folders of other runs and missing data, then write the metadata of new steps."""
    metadata = {step.name: bind_step(step, root, args.amp) for step in steps}
    require_origins(steps, root, metadata)
    unfinished = [step for step in steps if not metadata[step.name]['finished']]
    if not args.phantom:
        require_data(unfinished)
    for step in unfinished:
        write_metadata(step, root, metadata[step.name])


def forget_deleted_phantoms(root: Path, setup: Setup) -> None:
    """Have phantoms made again whose folder was deleted."""
    for made in (root / 'phantoms').glob('*.done'):
        folder = setup.packed if made.stem == 'packed' else setup.data / made.stem
        if folder is not None and not folder.is_dir():
            made.unlink()


def snakemake(root: Path, plan_file: Path, args: argparse.Namespace) -> list[str]:
    """The command line of Snakemake."""
    words = [sys.executable, '-m', 'snakemake', '--snakefile', str(WORKFLOW / 'Snakefile')]
    words += ['--directory', str(root), '--configfile', str(plan_file.absolute())]
    # The lock of this command, unlike Snakemake's, ends with its process.
    words += ['--nolock', '--rerun-incomplete', '--rerun-triggers', 'mtime', '--keep-going']
    words += ['--scheduler', 'greedy', '--nocolor', '--forcerun', 'table']
    if args.profile is None:
        return [*words, '--cores', str(args.jobs or 1)]
    packaged = WORKFLOW / 'profiles' / args.profile
    words += ['--profile', str(packaged if packaged.is_dir() else args.profile)]
    return [*words, *(['--jobs', str(args.jobs)] if args.jobs else [])]


def environment() -> dict[str, str]:
    """Environment of the jobs: one thread on a CPU, so that jobs can share the cores."""
    if not NO_GPU:
        return dict(os.environ)
    keep_memory = {'MALLOC_MMAP_MAX_': '0', 'MALLOC_TRIM_THRESHOLD_': str(1 << 32)}
    return {'OMP_NUM_THREADS': '1', **keep_memory, **os.environ}


@contextmanager
def forwarded_signals(process: subprocess.Popen) -> Iterator[list[int]]:
    """Pass Ctrl-C and SIGTERM on to Snakemake and its jobs, which save and exit."""
    received: list[int] = []

    def forward(number: int, _: FrameType | None) -> None:
        received.append(number)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, forward) for number in numbers}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(root: Path, words: list[str], lock: int) -> None:
    """Run Snakemake, and show what its jobs print; its own output goes to a log."""
    failed = False
    with (
        (root / LOG).open('a') as log,
        subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
            pass_fds=(lock,),
            env=environment(),
        ) as process,
        forwarded_signals(process) as received,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            failed = failed or line.startswith('error: ')
            print(line, end='', flush=True)
    if received:
        print('reproduction stopped; repeat the command to continue', file=sys.stderr)
        sys.exit(128 + received[0])
    if process.returncode:
        reason = 'a step failed' if failed else f'Snakemake failed (log: {root / LOG})'
        raise UserError(f'{reason}\nRepeat the command to continue')


def describe(steps: list[Step], root: Path, setup: Setup) -> str:
    """The plan: each step, its rule and whether it has finished."""
    rows = []
    for step in steps:
        kept = read_metadata(step, root)
        if kept is None or not kept['seconds']:
            state = 'to run'
        elif kept['finished']:
            state = f'finished in {kept["seconds"] / 60:.1f} min'
        else:
            state = 'interrupted'
        rows.append((step.name, step.rule, state))
    missing = [] if setup.phantom else missing_data(steps)
    lacking = f'\nMissing: {", ".join(missing)}' if missing else ''
    return f'{markdown_table(("step", "rule", "state"), rows)}{lacking}'


def dry_run(root: Path, steps: list[Step], setup: Setup, args: argparse.Namespace) -> str:
    """Snakemake's own count of the jobs that it would run; writes nothing into the folder."""
    with TemporaryDirectory() as folder:
        plan_file = Path(folder) / PLAN
        write_plan(plan_file, root, steps, setup, args)
        words = snakemake(root if root.is_dir() else Path(folder), plan_file, args)
        done = subprocess.run(
            [*words, '--dry-run', '--quiet', 'rules'],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    if done.returncode:
        raise UserError(f'Snakemake: {(done.stdout.strip().splitlines() or [""])[-1]}')
    found = re.search(r'^job +count.*?^total +\d+', done.stdout, re.MULTILINE | re.DOTALL)
    return found[0] if found else done.stdout


def tables_folder(args: argparse.Namespace) -> Path:
    """Folder of the tables; smaller budgets have their own."""
    folder = args.results / 'phantom' if args.phantom else args.results
    return folder if args.budget == 'full' else folder / args.budget


def require_as_many_seeds(args: argparse.Namespace) -> None:
    """Refuse to overwrite tables that were computed from more seeds."""
    for name in args.tables:
        path = tables_folder(args) / f'{name}.md'
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
        print(f'\n{dry_run(root, steps, setup, args)}')
        return
    require_as_many_seeds(args)
    root.mkdir(parents=True, exist_ok=True)
    with folder_lock(root) as lock:
        bind_steps(steps, root, args)
        forget_deleted_phantoms(root, setup)
        plan_file = root / PLAN
        write_plan(plan_file, root, steps, setup, args)
        run(root, snakemake(root, plan_file, args), lock)
    for name in args.tables:
        print(tables_folder(args) / f'{name}.md')
