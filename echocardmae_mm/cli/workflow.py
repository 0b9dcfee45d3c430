"""Plans of many steps, which Snakemake runs by ``workflow/Snakefile``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from echocardmae_mm.cli.arguments import worker_count
from echocardmae_mm.cli.child_process import interruptible
from echocardmae_mm.cli.configuration import NO_GPU, PACKAGED
from echocardmae_mm.cli.step_metadata import read_metadata
from echocardmae_mm.reproduction import Budget, Plan, Setup, Step
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.text_files import read_json

WORKFLOW = PACKAGED.parent / 'workflow'
PLAN, LOG = 'plan.json', 'snakemake.log'

Tables = Mapping[str, Sequence[str]]


def add_workflow_options(parser: ArgumentParser) -> None:
    """Add ``--jobs``, ``--profile`` and ``--amp``."""
    parser.add_argument(
        '--jobs',
        type=worker_count,
        metavar='J',
        help="run J jobs at the same time (default: 1, or the profile's)",
    )
    parser.add_argument('--profile', help='Snakemake profile for a cluster: slurm, or a folder')
    parser.add_argument('--amp', action='store_true', help='mixed precision')


def require_snakemake(command: str) -> None:
    """Refuse a command that needs Snakemake if it is not installed."""
    if find_spec('snakemake') is None:
        raise UserError(
            f'{command} needs Snakemake\nInstall it: pip install "echocardmae_mm[reproduce]"'
        )


def write_plan(path: Path, plan: Plan, tables: Tables) -> None:
    """Write a plan with the steps that each table shows; without tables, all steps are run."""
    setup = plan.setup
    content = {
        'python': sys.executable,
        'plan': str(path.absolute()),
        'folder': str(Path.cwd()),
        'root': str(plan.root),
        'results': str(plan.results.absolute()),
        'configs': str(setup.configs),
        'budget': setup.budget,
        'phantom': setup.phantom,
        'data': str(setup.data),
        'packed': setup.packed and str(setup.packed),
        'seeds': plan.seeds,
        'amp': plan.amp,
        'tables': tables,
        'steps': {name: step._asdict() for name, step in plan.steps.items()},
    }
    atomic_write_text(path, json_text(content))


def read_plan(path: str) -> Plan:
    """Read a plan, and go to the folder that its paths start from."""
    plan = read_json(Path(path))
    os.chdir(plan['folder'])
    packed = plan['packed'] and Path(plan['packed'])
    epochs, folds, phantoms = plan['budget']
    budget = Budget(epochs, folds, tuple(phantoms))
    return Plan(
        root=Path(plan['root']),
        results=Path(plan['results']),
        seeds=plan['seeds'],
        amp=plan['amp'],
        setup=Setup(Path(plan['configs']), budget, plan['phantom'], Path(plan['data']), packed),
        steps={name: Step(**step) for name, step in plan['steps'].items()},
    )


def state_of(step: Step, root: Path) -> str:
    """Whether a step is still to run, was interrupted, or has finished and in which time."""
    kept = read_metadata(step, root)
    if kept is None or not kept['seconds']:
        return 'to run'
    return f'finished in {kept["seconds"] / 60:.1f} min' if kept['finished'] else 'interrupted'


def snakemake(root: Path, plan_file: Path, args: Namespace) -> list[str]:
    """The command line of Snakemake, with the options of :func:`add_workflow_options`."""
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


def run_plan(plan: Plan, tables: Tables, args: Namespace, lock: int) -> None:
    """Run a plan, and show what its jobs print; Snakemake's own output goes to a log.

    If a job fails, those that do not need it still run. Jobs inherit the lock of the plan's folder.
    """
    root, failed = plan.root, False
    write_plan(root / PLAN, plan, tables)
    words = snakemake(root, root / PLAN, args)
    with (
        (root / LOG).open('a') as log,
        interruptible(
            words,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            pass_fds=(lock,),
            env=environment(),
        ) as (process, received),
    ):
        assert process.stdout is not None
        for line in process.stdout:
            failed = failed or line.startswith('error: ')
            print(line, end='', flush=True)
    if received:
        print('stopped; repeat the command to continue', file=sys.stderr)
        sys.exit(128 + received[0])
    if process.returncode:
        reason = 'a step failed' if failed else f'Snakemake failed (log: {root / LOG})'
        raise UserError(f'{reason}\nRepeat the command to continue')


def dry_run(plan: Plan, tables: Tables, args: Namespace) -> str:
    """Snakemake's own count of the jobs that it would run; writes nothing into the folder."""
    with TemporaryDirectory() as folder:
        plan_file = Path(folder) / PLAN
        write_plan(plan_file, plan, tables)
        root = plan.root if plan.root.is_dir() else Path(folder)
        words = snakemake(root, plan_file, args)
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
