"""Base class of data sets that are cross-validated by patient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from echocardmae_mm.datasets.patient_folds import contiguous_folds, read_folds
from echocardmae_mm.datasets.patient_split import patients_of_split
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.utils.errors import UserError


class CrossValidatedDataset(RecordingDataset):
    """Recordings of patients who are divided into folds.

    Args:
        fold (int, optional): The held-out fold, from 0. Defaults to None, all patients.
        split (str, optional): Required with ``fold``: 'test' is the fold itself, 'val' a share of
            the other patients, 'train' the rest. Defaults to None.
        num_folds (int): Number of folds, unless ``fold_file`` sets it. Defaults to 10.
        fold_file (str): CSV file with the columns ``patient`` and ``fold``, which replaces the
            data set's own folds. Defaults to ''.
        fold_seed (int): Seed of the random selection of patients. Defaults to 0.
        val_share (float): Share of the patients outside the fold to use for validation. Defaults to
            0.
        **kwargs (Any): Arguments of :class:`RecordingDataset`.

    Attributes:
        folds (dict[str, int]): Fold of each patient; empty without ``fold``.

    Raises:
        UserError: If the fold or the split does not exist.
    """

    def __init__(
        self,
        *,
        fold: int | None = None,
        split: str | None = None,
        num_folds: int = 10,
        fold_file: str = '',
        fold_seed: int = 0,
        val_share: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if (fold is None) != (split is None):
            raise UserError(
                f'{type(self).__name__}: fold and split go together; give both or neither'
            )
        self.fold = fold
        self.split = split
        self.num_folds = num_folds
        self.fold_file = fold_file
        self.fold_seed = fold_seed
        self.val_share = val_share
        self.folds: dict[str, int] = {}
        super().__init__(**kwargs)

    def make_folds(self, patients: Sequence[str], labels: Sequence[int]) -> dict[str, int]:
        """Divide the patients of the recordings into folds, by default blocks of sorted names."""
        return contiguous_folds(patients, self.num_folds)

    def select_patients(self, patients: Sequence[str], labels: Sequence[int] = ()) -> set[str]:
        """Select the patients of this data set's fold and split.

        Args:
            patients (Sequence[str]): Patient of each recording.
            labels (Sequence[int]): Label of each recording. Defaults to none.

        Returns:
            set[str]: Names of the patients; all of them without ``fold``.
        """
        if self.fold is None or self.split is None:
            return set(patients)
        if self.fold_file:
            self.folds = read_folds(self.fold_file, patients)
        else:
            self.folds = self.make_folds(patients, labels)
        return patients_of_split(self.folds, self.fold, self.split, self.val_share, self.fold_seed)
