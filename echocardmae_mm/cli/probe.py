"""Predict labels from features with a linear model, tested on unseen patients.

    echocardmae probe features.parquet labels.csv

LABELS has the column path, either ef (ridge regression) or label (logistic regression), and
optionally patient. Recordings are matched by pseudonym, if --salt is that of embed, or by the file
names that embed --keep-names wrote. Without a column patient, the patients come from FEATURES.

The patients are divided into folds; a model trained on the other folds predicts each fold. Rows for
1, 10 and 100 % of the training patients show how the score depends on the number of labels; the
smaller shares are means over several draws. Intervals (95 %) are over patients and draws.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from echocardmae_mm.apis.features_table import PREFIX, read_features
from echocardmae_mm.cli.arguments import add_force, at_least, command_parser, require_free, seed
from echocardmae_mm.cli.recordings import recording_pseudonym, salted
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets.csv_table import is_ef, read_number, read_table
from echocardmae_mm.datasets.patient_folds import stratified_folds
from echocardmae_mm.evaluation.bootstrap import Interval, interval_cells
from echocardmae_mm.evaluation.compared_task import task_of
from echocardmae_mm.evaluation.comparison import summarise_runs
from echocardmae_mm.evaluation.linear_probe import linear_probe
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text
from echocardmae_mm.utils.errors import UserError

SHARES = {0.01: 5, 0.1: 5, 1.0: 1}
TARGETS = ('ef', 'label')
_SHOWN = {'ef': ('mae', 'r2', 'auroc_below_50'), 'label': ('auroc', 'accuracy', 'f1')}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('probe', __doc__)
    add = parser.add_argument
    add('features', type=Path, metavar='FEATURES', help='file of echocardmae embed')
    add('labels', type=Path, metavar='LABELS', help='CSV file with path and ef or label')
    add('--target', choices=TARGETS, help='column to predict, if LABELS has both')
    add('--salt', help='the --salt of embed')
    add('--folds', type=at_least(2), default=5, help='folds of patients')
    add('--n-resamples', type=at_least(100), default=2000, help='resamples of the bootstrap')
    add('--seed', type=seed, default=0, help='seed of folds, draws and bootstrap')
    add('--out', type=Path, metavar='FILE.json', help='save the results here')
    add_force(parser, '--out')
    return parser.parse_args(argv)


def read_labels(args: argparse.Namespace) -> tuple[pd.DataFrame, str]:
    """The labels, and the column to predict."""
    table = read_table(args.labels, ('path',))
    table.columns = table.columns.str.lower()
    found = [name for name in TARGETS if name in table and args.target in (None, name)]
    if not found:
        raise UserError(f'{args.labels}: no column {args.target or " or ".join(TARGETS)}')
    if len(found) > 1:
        raise UserError(f'{args.labels}: has ef and label; choose one with --target')
    (target,) = found
    table = table[table[target].str.strip() != '']
    if target == 'ef':
        efs = [read_number({'ef': cell}, 'ef') for cell in table['ef']]
        for line, ef in zip(table.index + 2, efs):
            if not is_ef(ef):
                raise UserError(f'{args.labels}, line {line}: expected an ef from 0 to 100')
        if efs and max(efs) <= 1:
            raise UserError(f'{args.labels}: no ef exceeds {max(efs):g}; expected per cent')
    return table, target


def join(args: argparse.Namespace, features: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Features with the labels of their recordings."""
    if args.salt:
        names = salted(args.salt)
        paths = [args.labels.parent / path for path in labels['path']]
        labels, key = labels.assign(key=[recording_pseudonym(p, names) for p in paths]), 'recording'
    elif 'file' in features:
        labels, key = labels.assign(key=labels['path']), 'file'
    else:
        raise UserError(
            f'{args.features}: holds pseudonyms, so recordings and labels cannot be joined\n'
            'Pass the --salt of embed, or embed with --keep-names'
        )
    if labels['key'].duplicated().any():
        twice = labels['path'][labels['key'].duplicated()].iloc[0]
        raise UserError(f'{args.labels}: {twice} is listed twice')
    columns = [name for name in ('key', *TARGETS, 'patient') if name in labels]
    joined = features.merge(
        labels[columns], left_on=key, right_on='key', suffixes=('', '_by_label')
    )
    if joined.empty:
        example = labels['path'].iloc[0] if len(labels) else 'none'
        raise UserError(
            f'{args.features} and {args.labels} have no recording in common, such as {example}\n'
            'Write paths as they were embedded'
        )
    if 'patient_by_label' in joined:
        joined['patient'] = joined['patient_by_label']
    if (patients := joined['patient'].nunique()) < args.folds:
        raise UserError(
            f'{len(joined)} recordings of {patients} patients cannot be divided into {args.folds} '
            f'folds of patients\nAdd a column patient to {args.labels}, or pass --folds'
        )
    return joined


def require_patients(
    args: argparse.Namespace, patients: np.ndarray, strata: np.ndarray, names: Sequence[str]
) -> None:
    """Check that each fold can have a patient of each class, or of each half of the EFs."""
    for stratum in np.unique(strata):
        count = len(set(patients[strata == stratum]))
        if count < args.folds:
            raise UserError(
                f'{args.labels}: only {count} of {len(set(patients))} patients have '
                f'{names[stratum]}; --folds {args.folds} needs at least {args.folds} of each, '
                f'{" and ".join(names)}\n'
                'Add recordings of more patients' + (', or pass fewer --folds' * (count > 1))
            )


def probe_share(
    args: argparse.Namespace, table: pd.DataFrame, target: str, share: float, draws: int
) -> tuple[int, dict[str, dict[str, Interval]]]:
    """Number of training patients, and statistics by class (of the only one for two classes)."""
    values = table.filter(regex=rf'^{PREFIX}\d+$').to_numpy(np.float64)
    patients = table['patient'].to_numpy(str)
    names = pd.DataFrame({'patient': patients, 'video': table['recording']})
    if target == 'ef':
        targets = table['ef'].astype(float).to_numpy()
        strata = (targets > np.median(targets)).astype(int)
        classes: list[str] = []
    else:
        classes = sorted(table['label'].unique())
        targets = strata = np.array([classes.index(label) for label in table['label']])
        if len(classes) < 2:
            raise UserError(f'{args.labels}: all labels are {classes[0]!r}')
    require_patients(args, patients, strata, ['low ef', 'high ef'] if target == 'ef' else classes)
    folds = stratified_folds(patients.tolist(), strata.tolist(), args.folds, args.seed)
    runs = [
        linear_probe(values, targets, patients, folds, share, args.seed + draw)
        for draw in range(draws)
    ]
    if target == 'ef':
        tables = {'': [names.assign(ef=targets, prediction=run.predicted) for run in runs]}
    else:
        shown = range(len(classes)) if len(classes) > 2 else [1]
        tables = {
            classes[index]: [
                names.assign(label=(targets == index) * 1, score=run.predicted[:, index])
                for run in runs
            ]
            for index in shown
        }
    statistics = {
        name: summarise_runs(of, args.n_resamples, args.seed) for name, of in tables.items()
    }
    return runs[0].patients, statistics


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    if args.out:
        require_free(args.out, args.force)
    features = read_features(args.features)
    labels, target = read_labels(args)
    table = join(args, features, labels)
    print(f'{len(table)} recordings of {table["patient"].nunique()} patients, {args.folds} folds\n')
    rows, results = [], []
    for share, draws in SHARES.items():
        patients, statistics = probe_share(args, table, target, share, draws)
        for name, of_class in statistics.items():
            cells = [interval_cells(of_class[metric]) for metric in _SHOWN[target]]
            label = f'{100 * share:g} %' + (f', {name}' if name else '')
            rows.append((label, patients, *(cell for pair in cells for cell in pair)))
            results.append(
                {
                    'share': share,
                    'draws': draws,
                    'training_patients': patients,
                    **({'class': name} if name else {}),
                    **{metric: value._asdict() for metric, value in of_class.items()},
                }
            )
    known: dict[str, Any] = task_of(
        pd.DataFrame(columns=['label', 'score'] if target == 'label' else ['ef'])
    ).labels
    header = [text for metric in _SHOWN[target] for text in (known[metric], '95 %')]
    print(markdown_table(('labels', 'patients', *header), rows))
    if args.out:
        record = {
            'features': args.features.name,
            'target': target,
            'recordings': len(table),
            'patients': int(table['patient'].nunique()),
            'folds': args.folds,
            'seed': args.seed,
            'n_resamples': args.n_resamples,
            'results': results,
        }
        atomic_write_text(args.out, json_text(record))
