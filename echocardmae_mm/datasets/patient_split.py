"""Which patients train, validate and test, stored and exchanged as CSV."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from echocardmae_mm.datasets.patient_folds import SPLITS, patients_of_split
from echocardmae_mm.utils.errors import UserError


def draw_split(
    patients: Collection[str], test: Collection[str], val_share: float = 0.1, seed: int = 0
) -> dict[str, str]:
    """Split the patients that are not given for testing into training and validation.

    Args:
        patients (Collection[str]): All patients.
        test (Collection[str]): Those that test.
        val_share (float): Share of the others that validates, in (0, 1). Defaults to 0.1.
        seed (int): Seed of drawing them. Defaults to 0.

    Returns:
        dict[str, str]: 'train', 'val' or 'test' for each patient, sorted.
    """
    held_out = {patient: int(patient not in set(test)) for patient in patients}
    sides = {
        split: patients_of_split(held_out, 0, split, val_share, seed)
        for split in SPLITS
        if split != 'test'
    }
    where = {patient: split for split, side in sides.items() for patient in side}
    return {patient: where.get(patient, 'test') for patient in sorted(held_out)}


def read_split(path: str | Path, patients: Collection[str]) -> dict[str, str]:
    """Read a split.

    Args:
        path (str | Path): CSV with the columns ``patient`` and ``split``.
        patients (Collection[str]): Patients that must be in it; others are ignored.

    Returns:
        dict[str, str]: 'train', 'val' or 'test' for each of the patients, sorted.

    Raises:
        UserError: If the file is missing or no such list, names a patient twice, or lacks one.
    """
    if not Path(path).is_file():
        raise UserError(f'{path}: no such file; expected a CSV with the columns patient and split')
    table = pd.read_csv(path, dtype=str)
    if not {'patient', 'split'} <= set(table.columns):
        raise UserError(
            f'{path}: expected the columns patient and split, found {", ".join(table.columns)}'
        )
    splits = table['split'].str.lower()
    if not splits.isin(SPLITS).all():
        unknown = splits[~splits.isin(SPLITS)].iloc[0]
        raise UserError(f'{path}: split {unknown!r} is none of {SPLITS}')
    twice = table['patient'][table['patient'].duplicated()]
    if len(twice):
        raise UserError(f'{path}: patient {twice.iloc[0]} is there twice')
    found = dict(zip(table['patient'], splits))
    if missing := sorted(set(patients) - found.keys()):
        raise UserError(f'{path}: {len(missing)} patients are not in it, such as {missing[0]}')
    return {patient: found[patient] for patient in sorted(set(patients))}


def write_split(path: str | Path, split: Mapping[str, str]) -> None:
    """Store a split for others.

    Args:
        path (str | Path): The CSV file.
        split (Mapping[str, str]): 'train', 'val' or 'test' for each patient.
    """
    pd.DataFrame(sorted(split.items()), columns=['patient', 'split']).to_csv(path, index=False)
