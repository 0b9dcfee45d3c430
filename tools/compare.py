"""Compare two models that were tested on the same recordings.

    python tools/compare.py a/predictions.csv b/predictions.csv
    python tools/compare.py a/seed_*/predictions.csv --vs b/seed_*/predictions.csv

Several runs of each model are paired in the order in which they are named. Figures
are means over the runs; differences are B minus A, with 95 % intervals of a bootstrap over patients
and, where there are several, over runs, paired by recording. The last column is the smallest true
difference that so many patients would show in four of five tests: a difference that is not seen
says nothing about one that is smaller than that.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from argument_types import at_least, seed
from mistakes import UserError, report_user_errors

from echocardmae_mm.evaluation.compared_task import task_of
from echocardmae_mm.evaluation.comparison import Difference, compare, read_predictions
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('tables', nargs='+', metavar='CSV', help='of A and B, or all runs of A')
    parser.add_argument('--vs', nargs='+', metavar='CSV', help='as many runs of B')
    parser.add_argument(
        '--n_resamples', type=at_least(100), default=10000, help='n_resamples of the patients'
    )
    parser.add_argument('--seed', type=seed, default=0, help='seed of the bootstrap')
    parser.add_argument('--out', type=Path, metavar='FILE.json', help='keep the figures here')
    return parser.parse_args()


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


@report_user_errors
def main() -> None:
    args = parse_args()
    first, second = (args.tables, args.vs) if args.vs else (args.tables[:1], args.tables[1:])
    count = len(first)
    if count != len(second):
        raise UserError(
            f'{count} tables of A and {len(second)} of B: expected A.csv B.csv, or runs of A '
            '--vs as many runs of B'
        )
    runs = [(read_predictions(a), read_predictions(b)) for a, b in zip(first, second)]
    differences = compare(runs, args.n_resamples, args.seed)
    recordings = runs[0][0]
    print(f'A  {" ".join(first)}\nB  {" ".join(second)}')
    print(
        f'{len(recordings)} rows of {recordings["patient"].nunique()} patients, '
        f'{count} run{"s"[: count > 1]} of each\n'
    )
    print(table(differences, task_of(recordings).labels))
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


if __name__ == '__main__':
    main()
