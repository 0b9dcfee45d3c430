"""Split patients into training, validation and test set, and read such splits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from echocardmae_mm.datasets.csv_table import read_patient_column
from echocardmae_mm.utils.counter_rng import RngKey, RngStream, random_bits
from echocardmae_mm.utils.errors import UserError

SPLITS = ('train', 'val', 'test')


def patients_of_split(
    folds: Mapping[str, int], fold: int, split: str, val_share: float = 0.0, seed: int = 0
) -> set[str]:
    """Select the patients of one split of a fold.

    The fold itself is the test set. A random share of the other patients is the validation set, so
    checkpoints are never selected on the test set.

    Args:
        folds (Mapping[str, int]): Fold of each patient.
        fold (int): The held-out fold.
        split (str): 'train', 'val' or 'test', case-insensitive.
        val_share (float): Share of the other folds' patients to use for validation, in [0, 1).
            Defaults to 0.
        seed (int): Seed of the random selection. Defaults to 0.

    Returns:
        set[str]: Names of the patients.

    Raises:
        UserError: If the split or the fold does not exist, or is empty.
    """
    num_folds = max(folds.values()) + 1
    if not 0 <= fold < num_folds:
        raise UserError(
            f'fold={fold} does not exist: the {num_folds} folds are 0 to {num_folds - 1}'
        )
    if split.lower() not in SPLITS:
        raise UserError(f'split={split!r} is unknown; choose one of {SPLITS}')
    if not 0 <= val_share < 1:
        raise UserError(f'val_share={val_share} must lie between 0 and 1')
    test = {patient for patient, its_fold in folds.items() if its_fold == fold}
    others = folds.keys() - test
    key = RngKey(seed, fold, 0)
    val = _draw_share(others, val_share, key, RngStream.INNER_SPLIT) if val_share else set()
    chosen = {'test': test, 'val': val, 'train': others - val}[split.lower()]
    if not chosen:
        hint = '; set val_share above 0' if split.lower() == 'val' else ''
        raise UserError(f'split {split!r} of fold {fold} has no patients{hint}')
    return chosen


def draw_test(patients: Collection[str]) -> set[str]:
    """Draw a fifth of the patients, at least one, for a test set."""
    return _draw_share(patients, 0.2, RngKey(0, 0, 0), RngStream.PATIENT_FOLD)


def draw_split(
    patients: Collection[str], test: Collection[str], val_share: float = 0.1, seed: int = 0
) -> dict[str, str]:
    """Divide the patients outside the test set at random into training and validation set.

    Args:
        patients (Collection[str]): All patients.
        test (Collection[str]): Patients of the test set.
        val_share (float): Share of the others to use for validation, in (0, 1). Defaults to 0.1.
        seed (int): Seed of the random selection. Defaults to 0.

    Returns:
        dict[str, str]: 'train', 'val' or 'test' for each patient, sorted by name.
    """
    tested = set(test)
    folds = {patient: int(patient not in tested) for patient in patients}
    members = {split: patients_of_split(folds, 0, split, val_share, seed) for split in SPLITS[:2]}
    splits = {patient: split for split, group in members.items() for patient in group}
    return {patient: splits.get(patient, 'test') for patient in sorted(folds)}


def read_split(path: str | Path, patients: Collection[str]) -> dict[str, str]:
    """Read a split from a CSV file with the columns ``patient`` and ``split``.

    Args:
        path (str | Path): The file.
        patients (Collection[str]): Patients that need a split; others are ignored.

    Returns:
        dict[str, str]: 'train', 'val' or 'test' for each of ``patients``, sorted by name.

    Raises:
        UserError: If the file is missing or malformed, or a patient is missing or listed twice.
    """
    splits = read_patient_column(path, 'split', patients)
    for split in splits.values():
        if split.lower() not in SPLITS:
            raise UserError(f'{path}: split {split!r} is unknown; choose one of {SPLITS}')
    return {patient: splits[patient].lower() for patient in sorted(set(patients))}


def _draw_share(
    patients: Collection[str], share: float, key: RngKey, stream: RngStream
) -> set[str]:
    names = sorted(set(patients))
    order = np.argsort(random_bits(key, stream, len(names)))
    return {names[index] for index in order[: max(1, round(share * len(names)))]}
