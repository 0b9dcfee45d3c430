"""HMC-QU as its owners ship it, in either layout, for myocardial infarction."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from echocardmae_mm.datasets.hmc_qu_workbook import HMCQURow, plain_stem, read_hmc_qu_workbook
from echocardmae_mm.datasets.patient_folds import patients_of_split, read_folds, stratified_folds
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.datasets.recording_lists import find_recordings, or_phantoms
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import RecordingError, UserError

SOURCE = 'HMC-QU'
_WORKBOOKS = {'A4C': ('A4C.xlsx', 'HMC_QU.xlsx'), 'A2C': ('A2C.xlsx',)}
_PUBLISHED_SUBSET = (109, 72, 37)


@DATASETS.register_module()
class HMCQUDataset(RecordingDataset):
    """Apical recordings with or without myocardial infarction (Degerli et al., IEEE Access 2021).

    Each recording comes with ``label``, 1 if any segment of the wall moves badly and 0 otherwise,
    ``patient``, the number in its name, ``view``, ``source``, the data set's name, and ``cycle``:
    first and last frame of one heart cycle, from 0, for ``span='cycle'``. Letters in the names give
    most labels away and are not read.

    A recording whose workbook states no cycle, or one beyond its end, is kept without, because its
    label is sound;
    ``span='cycle'`` spreads its clips over the whole recording. Such recordings, repeated rows (the
    first one counts) and recordings missing on disk, which are left out, are counted in
    :attr:`report`. Folds go by the workbook, so that a missing recording moves no other one.

    Args:
        data_root (str): Folder of A4C.xlsx and A2C.xlsx, or of HMC_QU.xlsx in the older archive,
            and of the recordings, at any depth. Where both are there, A4C.xlsx counts.
        view (str): 'A4C' or 'A2C'. Defaults to 'A4C'.
        traced_only (bool): Whether only recordings whose wall is traced are taken: the 109 of view
            A4C, 72 of them with infarction, on which the paper's Table 4 stands. Another number is
            told as a warning. Defaults to True.
        fold (int, optional): The fold that is held out, from 0. Defaults to None, all patients.
        split (str, optional): With ``fold``: 'test', the fold itself; 'val', a share of the other
            patients; 'train', the rest. Defaults to None.
        num_folds (int): Number of folds, stratified by label. Defaults to 5.
        fold_seed (int): Seed of the folds and of the patients who validate. Defaults to 0.
        fold_file (str): CSV of the columns ``patient`` and ``fold`` in place of those folds;
            ``num_folds`` does not count then. Defaults to ''.
        val_share (float): Share of the patients outside the fold that validates. Defaults to 0,
            all of them train for a fixed number of epochs.
        **kwargs (Any): Further arguments of :class:`RecordingDataset`.

    Attributes:
        folds (dict[str, int]): Fold of each patient; empty without ``fold``.

    Raises:
        UserError: If the workbook is missing or cannot be read, no recording is left, or the view,
            the fold or the split does not exist.
    """

    folds: dict[str, int]

    def __init__(
        self,
        data_root: str = 'data/HMC-QU',
        view: str = 'A4C',
        traced_only: bool = True,
        fold: int | None = None,
        split: str | None = None,
        num_folds: int = 5,
        fold_seed: int = 0,
        fold_file: str = '',
        val_share: float = 0.0,
        **kwargs: Any,
    ) -> None:
        self.view = view.upper()
        if self.view not in _WORKBOOKS:
            raise UserError(f'HMCQUDataset: view {view!r} is unknown; choose of {(*_WORKBOOKS,)}')
        if (fold is None) != (split is None):
            raise UserError('HMCQUDataset: fold and split go together; give both or neither')
        self.traced_only = traced_only
        self.fold = fold
        self.split = split
        self.num_folds = num_folds
        self.fold_seed = fold_seed
        self.fold_file = fold_file
        self.val_share = val_share
        self.folds = {}
        super().__init__(data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Read the workbook.

        Returns:
            list[dict]: One dict a recording, in the order of the workbook.
        """
        path = _find_workbook(Path(self.data_root), self.view)
        rows = read_hmc_qu_workbook(path)
        first_rows: dict[str, HMCQURow] = {}
        for row in rows:
            first_rows.setdefault(plain_stem(row.stem), row)
        listed = first_rows
        if self.traced_only:
            listed = {stem: row for stem, row in first_rows.items() if row.is_masked}
            _require_masks(path, listed.values())
        unlabelled = [stem for stem, row in listed.items() if row.label is None]
        listed = {stem: row for stem, row in listed.items() if row.label is not None}
        patients = self._in_split(listed.values())
        chosen = {stem: row for stem, row in listed.items() if row.patient in patients}
        videos = find_videos(Path(self.data_root))
        there = {stem: row for stem, row in chosen.items() if stem in videos}
        recordings = [self._data_info(row, videos[stem]) for stem, row in there.items()]
        self.report = {
            f'rows in {path.name}': len(rows),
            'repeated rows': len(rows) - len(first_rows),
            'without a label (dropped)': len(unlabelled),
            'of the split': len(chosen),
            'missing on disk': len(chosen) - len(there),
            'with infarction': sum(recording['label'] for recording in recordings),
            "without a cycle (span='cycle' takes the whole recording)": sum(
                'cycle' not in recording for recording in recordings
            ),
        }
        if not there:
            raise UserError(
                f'{self.data_root}: of {len(chosen)} recordings in {path.name} none is on disk\n'
                f'Unpack the archive with its folders beside the workbook, {or_phantoms("hmcqu")}'
            )
        return recordings

    def _data_info(self, row: HMCQURow, path: Path) -> dict[str, Any]:
        info: dict[str, Any] = {
            'filename': str(path),
            'patient': row.patient,
            'view': self.view,
            'source': SOURCE,
            'label': row.label,
            'modality': 'RGB',
            'start_index': 0,
        }
        if row.cycle is not None and not self._ends_before(path, row.cycle[1]):
            info['cycle'] = row.cycle
        return info

    def _ends_before(self, path: Path, frame: int) -> bool:
        try:
            return self.num_frames(path) <= frame
        except RecordingError:
            return False  # training skips it, a test names it

    def _in_split(self, rows: Collection[HMCQURow]) -> set[str]:
        patients = [row.patient for row in rows]
        if self.fold is None or self.split is None:
            return set(patients)
        if self.fold_file:
            self.folds = read_folds(self.fold_file, patients)
        else:
            labels = [int(row.label == 1) for row in rows]
            self.folds = stratified_folds(patients, labels, self.num_folds, self.fold_seed)
        return patients_of_split(self.folds, self.fold, self.split, self.val_share, self.fold_seed)


def find_videos(root: Path) -> dict[str, Path]:
    """Recordings of the data set, wherever a layout puts them.

    Args:
        root (Path): Folder of the workbooks.

    Returns:
        dict[str, Path]: By stem, without its blanks.
    """
    return {plain_stem(path.stem): path for path in find_recordings(str(root))}


def _find_workbook(root: Path, view: str) -> Path:
    names = _WORKBOOKS[view]
    for name in names:
        if (root / name).is_file():
            return root / name
    raise UserError(
        f'{root}: no workbook of view {view}; expected {" or ".join(names)}\n'
        f'Set data_root to the folder that HMC-QU was unpacked into, {or_phantoms("hmcqu")}'
    )


def _require_masks(path: Path, rows: Collection[HMCQURow]) -> None:
    """Refuse a workbook without masks, and warn of a subset that is not the published one."""
    if not rows:
        raise UserError(
            f'{path}: no recording is ticked as having a mask; masks belong to view A4C\n'
            'Set traced_only=False to take all recordings'
        )
    infarctions = sum(row.label == 1 for row in rows)
    found = len(rows), infarctions, len(rows) - infarctions
    if found != _PUBLISHED_SUBSET:
        counts = '{} recordings with a mask, {} with and {} without infarction'
        print_log(
            f'{path}: {counts.format(*found)}; the published set has '
            f'{counts.format(*_PUBLISHED_SUBSET)}',
            'current',
            logging.WARNING,
        )
