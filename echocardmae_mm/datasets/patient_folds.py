"""Folds of patients for cross-validation, made, stored and exchanged as CSV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from echocardmae_mm.utils.counter_rng import RngKey, RngStream, random_bits
from echocardmae_mm.utils.errors import UserError

SPLITS = ('train', 'val', 'test')


def contiguous_folds(patients: Collection[str], num_folds: int) -> dict[str, int]:
    """Folds as CoReEcho cuts CAMUS: sorted patients in blocks of equal length (``dataset.py``).

    Args:
        patients (Collection[str]): Names of the patients.
        num_folds (int): Number of folds.

    Returns:
        dict[str, int]: Fold of each patient, from 0.

    Raises:
        UserError: If there are fewer patients than folds, or fewer than two folds.
    """
    names = sorted(set(patients))
    if not 2 <= num_folds <= len(names):
        raise UserError(
            f'{num_folds} folds of {len(names)} patients: num_folds must lie between 2 and that'
        )
    blocks = np.array_split(np.arange(len(names)), num_folds)
    return {names[index]: fold for fold, block in enumerate(blocks) for index in block}


def stratified_folds(
    patients: Sequence[str], labels: Sequence[int], num_folds: int, seed: int = 0
) -> dict[str, int]:
    """Folds that each have about the same share of every label, patients kept whole.

    Patients are drawn in a random order, whatever that of the recordings, and handed out by
    scikit-learn's ``StratifiedGroupKFold``.

    Args:
        patients (Sequence[str]): Patient of each recording.
        labels (Sequence[int]): Label of each recording.
        num_folds (int): Number of folds.
        seed (int): Seed of the drawing. Defaults to 0.

    Returns:
        dict[str, int]: Fold of each patient, from 0.

    Raises:
        UserError: If a label has fewer patients than there are folds, or there are fewer than two
            folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    recordings = sorted(zip(patients, labels))
    names = sorted(set(patients))
    fewest = min(Counter(label for _, label in set(recordings)).values(), default=0)
    if not 2 <= num_folds <= fewest:
        raise UserError(
            f'{num_folds} folds of {len(names)} patients, of whom {fewest} have the rarest label: '
            'num_folds must lie between 2 and that'
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
    """Folds from a CSV file.

    Args:
        path (str | Path): With the columns ``patient`` and ``fold``, folds from 0 on.
        patients (Collection[str]): Patients that must have a fold; others are ignored.

    Returns:
        dict[str, int]: Fold of each of the patients.

    Raises:
        UserError: If the file is missing or no such list, names a patient twice, or lacks one.
    """
    if not Path(path).is_file():
        raise UserError(f'{path}: no such file; expected a CSV with the columns patient and fold')
    try:
        table = pd.read_csv(path, dtype={'patient': str})
        patient_column, folds = table['patient'], pd.to_numeric(table['fold'])
    except (KeyError, ValueError) as error:
        raise UserError(
            f'{path}: expected a CSV with the columns patient and fold, folds from 0 on ({error})'
        ) from error
    numbers = set(folds)
    if numbers != set(range(len(numbers))):
        raise UserError(
            f'{path}: the folds must be 0, 1, 2 and so on without a gap; found '
            f'{", ".join(f"{fold:g}" for fold in sorted(numbers)[:4])}, ...'
        )
    twice = patient_column[patient_column.duplicated()]
    if len(twice):
        raise UserError(f'{path}: patient {twice.iloc[0]} is there twice')
    found = dict(zip(patient_column, map(int, folds)))
    if missing := sorted(set(patients) - found.keys()):
        raise UserError(f'{path}: {len(missing)} patients have no fold, such as {missing[0]}')
    return {patient: found[patient] for patient in sorted(set(patients))}


def write_folds(path: str | Path, folds: Mapping[str, int]) -> None:
    """Store folds for others, or for another machine.

    Args:
        path (str | Path): The CSV file.
        folds (Mapping[str, int]): Fold of each patient.
    """
    pd.DataFrame(sorted(folds.items()), columns=['patient', 'fold']).to_csv(path, index=False)


def patients_of_split(
    folds: Mapping[str, int], fold: int, split: str, val_share: float = 0.0, seed: int = 0
) -> set[str]:
    """Patients on one side of a fold.

    The fold itself is the test set. Of the others a share, drawn by patient, is the validation set
    on which a checkpoint may be selected, so that the test set is scored once and selects nothing.

    Args:
        folds (Mapping[str, int]): Fold of each patient.
        fold (int): The fold that is held out.
        split (str): 'train', 'val' or 'test', in any case.
        val_share (float): Share of the other folds' patients that validates, in [0, 1). Defaults
            to 0, all of them train.
        seed (int): Seed of drawing them. Defaults to 0.

    Returns:
        set[str]: Names of the patients.

    Raises:
        UserError: If the split or the fold does not exist, or would be empty.
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
    held_out = {patient for patient, its_fold in folds.items() if its_fold == fold}
    others = sorted(folds.keys() - held_out)
    order = np.argsort(random_bits(RngKey(seed, fold, 0), RngStream.INNER_SPLIT, len(others)))
    count = round(val_share * len(others))
    if val_share:
        count = max(1, count)
    validating = {others[index] for index in order[:count]}
    chosen = {'test': held_out, 'val': validating, 'train': set(others) - validating}[split.lower()]
    if not chosen:
        hint = '; set val_share above 0' if split.lower() == 'val' else ''
        raise UserError(f'split {split!r} of fold {fold} has no patients{hint}')
    return chosen
