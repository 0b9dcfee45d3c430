"""Compare two models that were tested on the same recordings.

    echocardmae compare a/predictions.csv b/predictions.csv
    echocardmae compare a/seed_*/predictions.csv --vs b/seed_*/predictions.csv

With several runs of each model, runs are paired in the given order. Metrics are means over runs.
Differences are B minus A, paired by recording, with 95 % intervals from a bootstrap over patients
(and over runs, if there are several). The last column is the smallest true difference that a test
with this many patients would detect with 80 % power; the comparison cannot rule out smaller ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from echocardmae_mm.cli.arguments import at_least, command_parser, seed
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.evaluation.compared_task import task_of
from echocardmae_mm.evaluation.comparison import Difference, compare, read_predictions
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.text_files import read_json


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('compare', __doc__)
    parser.add_argument(
        'tables', nargs='+', metavar='CSV', help='predictions of A and B, or of all runs of A'
    )
    parser.add_argument('--vs', nargs='+', metavar='CSV', help='predictions of as many runs of B')
    parser.add_argument(
        '--n-resamples', type=at_least(100), default=10000, help='resamples of the bootstrap'
    )
    parser.add_argument('--seed', type=seed, default=0, help='random seed of the bootstrap')
    parser.add_argument('--out', type=Path, metavar='FILE.json', help='save the results here')
    return parser.parse_args(argv)


def table(differences: dict[str, Difference], labels: dict[str, str]) -> str:
    """The comparison as Markdown."""
    return markdown_table(
        ('', 'A', 'B', 'B - A', '95 %', 'detectable'),
        [
            (
                labels[name],
                f'{row.first:.3f}',
                f'{row.second:.3f}',
                f'{row.difference.estimate:+.3f}',
                f'{row.difference.low:+.3f} to {row.difference.high:+.3f}',
                f'{row.detectable:.3f}',
            )
            for name, row in differences.items()
        ],
    )


def _is_comparison(path: Path) -> bool:
    try:
        return 'differences' in read_json(path)
    except (OSError, UserError):
        return False


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    first, second = (args.tables, args.vs) if args.vs else (args.tables[:1], args.tables[1:])
    count = len(first)
    if count != len(second):
        raise UserError(
            f'{count} tables of A and {len(second)} of B: expected A.csv B.csv, '
            'or runs of A --vs as many runs of B'
        )
    if args.out and args.out.exists() and not _is_comparison(args.out):
        raise UserError(f'{args.out} exists and is no comparison; choose another --out')
    runs = [(read_predictions(a), read_predictions(b)) for a, b in zip(first, second)]
    differences = compare(runs, args.n_resamples, args.seed)
    recordings = runs[0][0]
    print(f'A  {" ".join(first)}\nB  {" ".join(second)}')
    print(
        f'{len(recordings)} rows of {recordings["patient"].nunique()} patients, '
        f'{count} {"run" if count == 1 else "runs"} of each\n'
    )
    print(table(differences, task_of(recordings).labels))
    if len({'clicked' in predictions for run in runs for predictions in run}) > 1:
        print('\nOnly some of these models saw a click inside the true mask: they do not compare')
    if args.out:
        result = {
            'first': first,
            'second': second,
            'recordings': len(recordings),
            'patients': int(recordings['patient'].nunique()),
            'n_resamples': args.n_resamples,
            'seed': args.seed,
            'differences': {
                name: {**row._asdict(), 'difference': row.difference._asdict()}
                for name, row in differences.items()
            },
        }
        atomic_write_text(args.out, json_text(result))
