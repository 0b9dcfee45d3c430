"""Make and read folds of patients for cross-validation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from echocardmae_mm.datasets.csv_table import read_patient_column
from echocardmae_mm.utils.counter_rng import RngKey, RngStream, random_bits
from echocardmae_mm.utils.errors import UserError


def contiguous_folds(patients: Collection[str], num_folds: int) -> dict[str, int]:
    """Divide the sorted patients into blocks of equal length, as CoReEcho does for CAMUS.

    Returns:
        dict[str, int]: Fold of each patient, from 0.

    Raises:
        UserError: If there are fewer than two folds, or fewer patients than folds.
    """
    names = sorted(set(patients))
    if not 2 <= num_folds <= len(names):
        raise UserError(
            f'num_folds={num_folds} for {len(names)} patients: expected at least 2 folds, and at '
            f'least {max(2, num_folds)} patients'
        )
    blocks = np.array_split(np.arange(len(names)), num_folds)
    return {names[index]: fold for fold, block in enumerate(blocks) for index in block}


def stratified_folds(
    patients: Sequence[str], labels: Sequence[int], num_folds: int, seed: int = 0
) -> dict[str, int]:
    """Distribute patients so that each label has about the same share in every fold.

    All recordings of a patient stay in one fold. The patients are sorted, shuffled and distributed
    by scikit-learn's ``StratifiedGroupKFold``, so the order of the recordings has no effect.

    Args:
        patients (Sequence[str]): Patient of each recording.
        labels (Sequence[int]): Label of each recording.
        num_folds (int): Number of folds.
        seed (int): Seed of the shuffle. Defaults to 0.

    Returns:
        dict[str, int]: Fold of each patient, from 0.

    Raises:
        UserError: If there are fewer than two folds, or a label has fewer patients than folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    recordings = sorted(zip(patients, labels))
    names = sorted(set(patients))
    fewest = min(Counter(label for _, label in set(recordings)).values(), default=0)
    if not 2 <= num_folds <= fewest:
        raise UserError(
            f'num_folds={num_folds} for {len(names)} patients, {fewest} of whom have the rarest '
            f'label: expected at least 2 folds, and at least {max(2, num_folds)} patients of each '
            'label'
        )
    order = np.argsort(random_bits(RngKey(seed, 0, 0), RngStream.PATIENT_FOLD, len(names)))
    rank = {names[index]: place for place, index in enumerate(order)}
    groups = [rank[patient] for patient, _ in recordings]
    ordered_labels = [label for _, label in recordings]
    splits = StratifiedGroupKFold(num_folds).split(groups, ordered_labels, groups)
    return {
        recordings[index][0]: fold
        for fold, (_, held_out) in enumerate(splits)
        for index in held_out
    }


def read_folds(path: str | Path, patients: Collection[str]) -> dict[str, int]:
    """Read folds from a CSV file with the columns ``patient`` and ``fold``.

    Args:
        path (str | Path): The file; folds are numbered from 0.
        patients (Collection[str]): Patients that need a fold; others are ignored.

    Returns:
        dict[str, int]: Fold of each of ``patients``, sorted by name.

    Raises:
        UserError: If the file is missing or malformed, or a patient is missing or listed twice.
    """
    texts = read_patient_column(path, 'fold', patients)
    try:
        folds = {patient: float(text) for patient, text in texts.items()}
    except ValueError as error:
        raise UserError(f'{path}: column fold must contain integers from 0 ({error})') from error
    numbers = set(folds.values())
    if numbers != set(range(len(numbers))):
        found = ', '.join(f'{fold:g}' for fold in sorted(numbers)[:4])
        raise UserError(f'{path}: folds must be 0, 1, 2, ... without gaps; found {found}, ...')
    return {patient: int(folds[patient]) for patient in sorted(set(patients))}
