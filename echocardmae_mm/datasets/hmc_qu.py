"""HMC-QU as its owners ship it, for myocardial infarction."""

from __future__ import annotations

import logging
import re
from collections import Counter
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from echocardmae_mm.datasets.echo_video import TRY_PHANTOMS, EchoVideoDataset
from echocardmae_mm.datasets.hmc_qu_workbook import EchoRow, read_workbook, squeezed
from echocardmae_mm.datasets.patient_folds import (
    patients_of_split,
    read_folds,
    stratified_folds,
)
from echocardmae_mm.datasets.recordings import looks_like_recording
from echocardmae_mm.errors import EchoError
from echocardmae_mm.registry import DATASETS

SOURCE = 'HMC-QU'
#: Workbooks of each view, that of the archive's older layout last.
WORKBOOKS = {'A4C': ('A4C.xlsx', 'HMC_QU.xlsx'), 'A2C': ('A2C.xlsx',)}
#: Recordings with a traced wall, which the paper takes: with an infarction and without.
PUBLISHED = (72, 37)


@DATASETS.register_module()
class HMCQUDataset(EchoVideoDataset):
    """Apical recordings of HMC-QU, with and without infarction (Degerli et al., BSPC 2024).

    Each recording comes with ``patient``, ``view``, ``source``, ``label``, 1 where any segment
    moves badly, and ``cycle``: first and last frame of its given cardiac cycle, from 0, for
    ``span='cycle'``. The patient is the number in the file's name, which folds go by; the letters
    in it tell normal hearts from others, and are never read.

    Rows without a recording on disk, without a coded segment or without a cycle are left out, told
    and counted in :attr:`report`.

    Args:
        data_root (str): Folder of A4C.xlsx and A2C.xlsx, or of HMC_QU.xlsx in the older layout;
            the recordings are found below it.
        view (str): 'A4C' or 'A2C'. Defaults to 'A4C'.
        traced_only (bool): Whether only recordings count whose wall is traced: the paper's 109,
            72 of them with an infarction. Other numbers are warned about. Defaults to True.
        fold (int, optional): The fold that is held out, from 0. Defaults to None, all patients.
        split (str, optional): With ``fold``: 'test', the fold itself; 'val', a share of the other
            patients; 'train', the rest. Defaults to None.
        num_folds (int): Folds are drawn by patient, each with its share of infarctions. The split
            that the paper names is not public. Defaults to 5.
        fold_seed (int): Seed of drawing them. Defaults to 0.
        fold_file (str): CSV of the columns ``patient`` and ``fold`` in their place. Defaults to ''.
        val_share (float): Share of the patients outside the fold that validates. Defaults to 0,
            all of them train.
        **kwargs (Any): Further arguments of :class:`EchoVideoDataset`.

    Attributes:
        folds (dict[str, int]): Fold of each patient; empty without ``fold``.

    Raises:
        EchoError: If the workbook or all recordings are missing, or the view, the fold or the split
            does not exist.
    """

    METAINFO = dict(classes=('normal', 'infarction'))
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
        if view not in WORKBOOKS:
            raise EchoError(f'HMCQUDataset: view={view!r} is unknown; choose of {[*WORKBOOKS]}')
        if (fold is None) != (split is None):
            raise EchoError('HMCQUDataset: fold and split go together; give both or neither')
        if traced_only and view != 'A4C':
            raise EchoError('HMCQUDataset: walls are traced in A4C alone; set traced_only=False')
        self.view = view
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
        root = Path(self.data_root)
        workbook = self._find_workbook(root)
        rows = [row for row in read_workbook(workbook) if row.is_traced or not self.traced_only]
        left_out: Counter[str] = Counter()
        videos = _find_videos(root)
        recordings = [r for row in rows if (r := self._recording(row, videos, left_out))]
        if not recordings:
            raise EchoError(
                f'{workbook}: none of its {len(rows)} recordings can be used; '
                f'{", ".join(f"{count} {what}" for what, count in left_out.items())}\n'
                f'Unpack the recordings below {root}, {TRY_PHANTOMS}'
            )
        self._compare_with_published(recordings)
        chosen = self._in_split(recordings)
        self.report = {
            f'rows of {workbook.name}': len(rows),
            **left_out,
            'infarctions of the split': sum(recording['label'] for recording in chosen),
        }
        return chosen

    def _find_workbook(self, root: Path) -> Path:
        found = [root / name for name in WORKBOOKS[self.view] if (root / name).is_file()]
        if not found:
            raise EchoError(
                f'{root / WORKBOOKS[self.view][0]}: not found; HMC-QU is on Kaggle '
                f'(aysendegerli/hmcqu-dataset)\nUnpack it so that this file exists, {TRY_PHANTOMS}'
            )
        return found[0]

    def _recording(
        self, row: EchoRow, videos: dict[str, Path], left_out: Counter[str]
    ) -> dict[str, Any] | None:
        path, number = videos.get(squeezed(row.name)), re.match(r'ES0*(\d+)', squeezed(row.name))
        if path is None:
            reason = 'missing on disk (dropped)'
        elif number is None:
            reason = "without a patient's number (dropped)"
        elif row.infarction is None:
            reason = 'without a coded segment (dropped)'
        elif row.cycle is None:
            reason = 'without a cycle (dropped)'
        else:
            return {
                'filename': str(path),
                'patient': number.group(1),
                'view': self.view,
                'source': SOURCE,
                'modality': 'RGB',
                'start_index': 0,
                'label': int(row.infarction),
                'cycle': row.cycle,
            }
        left_out[reason] += 1
        print_log(f'{row.name}: {reason}', 'current')
        return None

    def _compare_with_published(self, recordings: list[dict[str, Any]]) -> None:
        infarctions = sum(recording['label'] for recording in recordings)
        found = infarctions, len(recordings) - infarctions
        if self.traced_only and found != PUBLISHED:
            print_log(
                f'HMCQUDataset: {found[0]} infarctions and {found[1]} normal recordings with a '
                f'traced wall; published are {PUBLISHED[0]} and {PUBLISHED[1]}',
                'current',
                logging.WARNING,
            )

    def _in_split(self, recordings: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self.fold is None or self.split is None:
            return recordings
        patients = [recording['patient'] for recording in recordings]
        if self.fold_file:
            self.folds = read_folds(self.fold_file, patients)
        else:
            labels = [recording['label'] for recording in recordings]
            self.folds = stratified_folds(patients, labels, self.num_folds, self.fold_seed)
        chosen = patients_of_split(self.folds, self.fold, self.split, self.val_share)
        return [recording for recording in recordings if recording['patient'] in chosen]


def _find_videos(root: Path) -> dict[str, Path]:
    return {
        squeezed(path.stem): path
        for path in sorted(root.rglob('*'))
        if path.is_file() and looks_like_recording(path)
    }
