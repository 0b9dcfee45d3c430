"""Run all experiments of a table, and write the table.

    echocardmae reproduce table1 table5                        # EchoNet-Dynamic in data/
    echocardmae reproduce all --phantom --budget small         # synthetic recordings
    echocardmae reproduce all --profile slurm                  # on a cluster
    echocardmae reproduce latents                              # beyond the paper
    echocardmae reproduce all --dry-run                        # print the plan only

Snakemake runs the steps: pip install echocardmae_mm[reproduce]. Each step (pretraining,
fine-tuning, fold) has its own folder and logs below --out. Repeat the command to continue: it
keeps finished steps and resumes interrupted ones. Tables share steps. Tables go to results/, tables
of phantoms to results/phantom/, and tables of a smaller budget to a subfolder named after it.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from echocardmae_mm.cli.arguments import at_least, command_parser
from echocardmae_mm.cli.configuration import PACKAGED
from echocardmae_mm.cli.run_folder import folder_lock
from echocardmae_mm.cli.step_metadata import (
    bind_step,
    missing_data,
    missing_weights,
    require_inputs,
    require_origins,
    write_metadata,
)
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.cli.workflow import (
    add_workflow_options,
    dry_run,
    require_snakemake,
    run_plan,
    state_of,
)
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.reproduction import ALL, BUDGETS, PAPER, Plan, Setup, Step, plan, results_of
from echocardmae_mm.utils.errors import UserError


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('reproduce', __doc__)
    add = parser.add_argument
    add('tables', nargs='+', metavar='TABLE', help=f'{", ".join(ALL)}, or all of the paper')
    add('--phantom', action='store_true', help='make synthetic recordings and use them')
    add(
        '--budget',
        choices=list(BUDGETS),
        default='full',
        help='share of epochs, folds and data',
    )
    add('--seeds', type=at_least(1), default=1, metavar='N', help='repeat everything with N seeds')
    add_workflow_options(parser)
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
    named = [PAPER if name == 'all' else (name,) for name in args.tables]
    args.tables = list(dict.fromkeys(name for names in named for name in names))
    if unknown := [name for name in args.tables if name not in ALL]:
        raise UserError(f'{unknown[0]}: no such table; choose from {", ".join(ALL)} or all')
    require_snakemake('reproduce')
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


def bind_steps(steps: list[Step], root: Path, args: argparse.Namespace) -> None:
    """Refuse the folders of other runs and missing inputs, then write the metadata of new steps."""
    metadata = {step.name: bind_step(step, root, args.amp) for step in steps}
    require_origins(steps, root, metadata)
    unfinished = [step for step in steps if not metadata[step.name]['finished']]
    if not args.phantom:
        require_inputs(unfinished)
    for step in unfinished:
        write_metadata(step, root, metadata[step.name])


def forget_deleted_phantoms(root: Path, setup: Setup) -> None:
    """Have phantoms made again whose folder was deleted."""
    for made in (root / 'phantoms').glob('*.done'):
        folder = setup.packed if made.stem == 'packed' else setup.data / made.stem
        if folder is not None and not folder.is_dir():
            made.unlink()


def describe(steps: list[Step], root: Path, setup: Setup) -> str:
    """The plan: each step, its rule and whether it has finished."""
    rows = [(step.name, step.rule, state_of(step, root)) for step in steps]
    missing = [] if setup.phantom else missing_data(steps) + missing_weights(steps)
    lacking = f'\nMissing: {", ".join(missing)}' if missing else ''
    return f'{markdown_table(("step", "rule", "state"), rows)}{lacking}'


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
    planned = Plan(
        root, tables_folder(args), args.seeds, args.amp, setup, {step.name: step for step in steps}
    )
    tables = {name: results_of(name, args.seeds) for name in args.tables}
    if args.dry_run:
        print(describe(steps, root, setup))
        print(f'\n{dry_run(planned, tables, args)}')
        return
    require_as_many_seeds(args)
    root.mkdir(parents=True, exist_ok=True)
    with folder_lock(root) as lock:
        bind_steps(steps, root, args)
        forget_deleted_phantoms(root, setup)
        run_plan(planned, tables, args, lock)
    for name in args.tables:
        print(planned.results / f'{name}.md')
