"""HMC-QU for myocardial infarction, in either layout."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from echocardmae_mm.datasets.cross_validated_dataset import CrossValidatedDataset
from echocardmae_mm.datasets.hmc_qu_workbook import HMCQURow, read_hmc_qu_workbook, without_blanks
from echocardmae_mm.datasets.patient_folds import stratified_folds
from echocardmae_mm.datasets.recording_lists import find_recordings, or_phantoms
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import UserError

_WORKBOOKS = {'A4C': ('A4C.xlsx', 'HMC_QU.xlsx'), 'A2C': ('A2C.xlsx',)}
_PUBLISHED_SUBSET = (109, 72, 37)


@DATASETS.register_module()
class HMCQUDataset(CrossValidatedDataset):
    """Apical recordings with or without myocardial infarction (Degerli et al., IEEE Access 2021).

    Each recording has ``label`` (1 if any segment of the wall moves abnormally, otherwise 0),
    ``patient`` (the number in its name), ``view``, ``source`` and ``cycle`` (first and last frame
    of one heart cycle, from 0, for ``span='cycle'``). Letters in the names reveal most labels and
    are ignored.

    Recordings without a valid cycle are kept, because their labels are valid; ``span='cycle'`` then
    spreads clips over the whole recording. Repeated rows after the first and recordings missing on
    disk are dropped. :attr:`report` counts all of these. Folds are stratified by label and depend
    on the workbook alone, so a missing recording does not change the fold of any other.

    Args:
        data_root (str): Folder that contains A4C.xlsx and A2C.xlsx, or HMC_QU.xlsx of the older
            archive, and at any depth the recordings. A4C.xlsx takes precedence.
        view (str): 'A4C' or 'A2C'. Defaults to 'A4C'.
        traced_only (bool): Whether to keep only recordings with a traced wall. The paper's Table 4
            uses the 109 traced recordings of view A4C, 72 of them with infarction; other counts log
            a warning. Defaults to True.
        num_folds (int): Number of folds, unless ``fold_file`` sets it. Defaults to 5.
        **kwargs (Any): Arguments of :class:`CrossValidatedDataset`: ``fold``, ``split``, ...

    Raises:
        UserError: If the workbook is missing or unreadable, no recording is left, or the view, the
            fold or the split does not exist.
    """

    METAINFO = dict(classes=('normal', 'infarction'))

    def __init__(
        self,
        data_root: str = 'data/HMC-QU',
        view: str = 'A4C',
        traced_only: bool = True,
        num_folds: int = 5,
        **kwargs: Any,
    ) -> None:
        self.view = view.upper()
        if self.view not in _WORKBOOKS:
            raise UserError(f'HMCQUDataset: view {view!r} is unknown; choose from {(*_WORKBOOKS,)}')
        self.traced_only = traced_only
        super().__init__(data_root=data_root, num_folds=num_folds, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """List the recordings, in the order of the workbook."""
        path = _find_workbook(Path(self.data_root), self.view)
        rows = read_hmc_qu_workbook(path)
        first_rows: dict[str, HMCQURow] = {}
        for row in rows:
            first_rows.setdefault(without_blanks(row.stem), row)
        listed = [row for row in first_rows.values() if row.is_traced or not self.traced_only]
        if self.traced_only:
            _compare_with_published(path, listed)
        labelled = [row for row in listed if row.label is not None]
        patients = self.select_patients(
            [row.patient for row in labelled], [row.label == 1 for row in labelled]
        )
        chosen = [row for row in labelled if row.patient in patients]
        videos = find_videos(Path(self.data_root))
        recordings = [
            self._recording(row, videos[stem])
            for row in chosen
            if (stem := without_blanks(row.stem)) in videos
        ]
        self.report = {
            f'rows in {path.name}': len(rows),
            'repeated rows': len(rows) - len(first_rows),
            'without a label (dropped)': len(listed) - len(labelled),
            'of the split': len(chosen),
            'missing on disk': len(chosen) - len(recordings),
            'with infarction': sum(recording['label'] for recording in recordings),
            "without a cycle (span='cycle' takes the whole recording)": sum(
                'cycle' not in recording for recording in recordings
            ),
        }
        if not recordings:
            raise UserError(
                f'{self.data_root}: none of {len(chosen)} recordings in {path.name} is on disk\n'
                f'Unpack the archive into the folder of the workbook, {or_phantoms("hmcqu")}'
            )
        return recordings

    def make_folds(self, patients: Sequence[str], labels: Sequence[int]) -> dict[str, int]:
        """Distribute patients so that each fold has about the same share of infarctions."""
        return stratified_folds(patients, labels, self.num_folds, self.fold_seed)

    def _recording(self, row: HMCQURow, path: Path) -> dict[str, Any]:
        recording: dict[str, Any] = {
            'filename': str(path),
            'patient': row.patient,
            'view': self.view,
            'source': 'HMC-QU',
            'label': row.label,
            'modality': 'RGB',
            'start_index': 0,
        }
        if row.cycle is not None:
            recording.update(cycle=row.cycle, cycle_is_optional=True)
        return recording


def find_videos(root: Path) -> dict[str, Path]:
    """Find the recordings at any depth, by their stems without spaces."""
    return {without_blanks(path.stem): path for path in find_recordings(str(root))}


def _find_workbook(root: Path, view: str) -> Path:
    names = _WORKBOOKS[view]
    for name in names:
        if (root / name).is_file():
            return root / name
    raise UserError(
        f'{root}: no workbook for view {view}; expected {" or ".join(names)}\n'
        f'Set data_root to the unpacked folder of HMC-QU, {or_phantoms("hmcqu")}'
    )


def _compare_with_published(path: Path, rows: Collection[HMCQURow]) -> None:
    if not rows:
        raise UserError(
            f'{path}: no recording is marked as traced; only view A4C is traced\n'
            'Set traced_only=False to keep all recordings'
        )
    infarctions = sum(row.label == 1 for row in rows)
    found = len(rows), infarctions, len(rows) - infarctions
    if found != _PUBLISHED_SUBSET:
        counts = '{} traced recordings, {} with and {} without infarction'
        print_log(
            f'{path}: {counts.format(*found)}; the published set has '
            f'{counts.format(*_PUBLISHED_SUBSET)}',
            'current',
            logging.WARNING,
        )
