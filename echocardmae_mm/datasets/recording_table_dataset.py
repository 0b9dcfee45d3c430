"""Recordings with labels from a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from echocardmae_mm.datasets.csv_table import read_number
from echocardmae_mm.datasets.patient_split import SPLITS, draw_split, draw_test
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.datasets.recording_table import (
    Row,
    cell_error,
    read_recording_table,
    read_spacing,
)
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import UserError


@DATASETS.register_module()
class RecordingTableDataset(RecordingDataset):
    """Recordings of a CSV table, one per row.

    The table has the column ``path`` and any of these:

    * ``ef``: ejection fraction in per cent.
    * ``label``: the class, a name or a number.
    * ``patient``: without this column, each recording counts as one patient.
    * ``split``: 'train', 'val' or 'test', the same for all recordings of a patient. Without this
      column, 20 % of the patients are drawn for the test and 10 % of the others for validation; the
      draw depends only on the names of the patients.
    * ``view``: any text, copied to the predictions.
    * ``fps`` (frames per second) and ``spacing`` (mm: the side of a square pixel, or height and
      width as in ``0.3;0.4``) replace the values in the file of the recording.

    Each recording has ``patient``, ``source`` (name of the table) and the cells that its row fills;
    ``label`` is the index of the class.

    Args:
        ann_file (str): The table, relative to ``data_root``.
        data_root (str): Base folder of relative paths. Defaults to '', the folder of the table.
        split (str, optional): 'train', 'val' or 'test', case-insensitive. Defaults to None, all.
        classes (Sequence[str], optional): Names of the classes, in the order of their indices.
            Defaults to None, the sorted labels of the whole table.
        require (str | Sequence[str]): Columns that every row must fill, such as 'ef'. Defaults to
            none.
        **kwargs (Any): Arguments of :class:`RecordingDataset`.

    Attributes:
        splits (dict[str, str]): Split of each patient if the table has no column ``split``;
            training saves it as ``split.csv``.

    Raises:
        UserError: If the table has a mistake, a label is no class, or the split is empty.
    """

    data_root: str

    def __init__(
        self,
        ann_file: str,
        data_root: str = '',
        split: str | None = None,
        classes: Sequence[str] | None = None,
        require: str | Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        if split is not None and split.lower() not in SPLITS:
            raise UserError(
                f'RecordingTableDataset: split={split!r} is unknown; choose one of {SPLITS}'
            )
        self.split = split
        self.classes = classes and [str(name) for name in classes]
        self.require = (require,) if isinstance(require, str) else tuple(require)
        self.splits: dict[str, str] = {}
        super().__init__(ann_file=ann_file, data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """List the recordings of the split, in the order of the table."""
        self.data_root = self.data_root or str(Path(self.ann_file).parent)
        rows = read_recording_table(self.ann_file, self.data_root, self.require)
        classes = self._find_classes(rows)
        if classes:
            self._metainfo['classes'] = classes
        chosen = self._rows_of_split(rows)
        recordings = [self._recording(row, classes) for row in chosen]
        known = '' if 'patient' in rows[0] else ' (no column patient: one per recording)'
        counts = Counter(recording.get('label') for recording in recordings)
        self.report = {
            f'rows in {Path(self.ann_file).name}': len(rows),
            'of the split': len(chosen),
            f'patients{known}': len({recording['patient'] for recording in recordings}),
            **{f'of class {index} ({name})': counts[index] for index, name in enumerate(classes)},
        }
        return recordings

    def _find_classes(self, rows: list[Row]) -> tuple[str, ...]:
        labelled = [row for row in rows if row.get('label')]
        if self.classes:
            for row in labelled:
                if row['label'] not in self.classes:
                    expected = f'one of the classes {", ".join(self.classes)}'
                    raise cell_error(self.ann_file, row, 'label', expected)
            return tuple(self.classes)
        names = {row['label'] for row in labelled}
        if len(names) == 1 and 'label' in self.require:
            raise UserError(
                f'{self.ann_file}: all labels are {names.pop()!r}; expected at least two classes\n'
                'Add recordings of other classes, or name all of them with classes=[...]'
            )
        try:
            return tuple(sorted(names, key=int))
        except ValueError:
            return tuple(sorted(names))

    def _rows_of_split(self, rows: list[Row]) -> list[Row]:
        if self.split is None:
            return rows
        if 'split' in rows[0]:
            split_of = {_patient(row): row['split'].lower() for row in rows}
        else:
            self.splits = split_of = self._draw(rows)
        chosen = [row for row in rows if split_of[_patient(row)] == self.split.lower()]
        if not chosen:
            found = ', '.join(sorted(set(split_of.values())))
            raise UserError(
                f'{self.ann_file}: no row of split {self.split.lower()}; found {found}\n'
                'Add such rows, or remove the column split to draw the splits'
            )
        return chosen

    def _draw(self, rows: list[Row]) -> dict[str, str]:
        patients = {_patient(row) for row in rows}
        if len(patients) < len(SPLITS):
            raise UserError(
                f'{self.ann_file}: {len(patients)} patients; expected at least {len(SPLITS)} to '
                'draw training, validation and test set'
            )
        return draw_split(patients, draw_test(patients))

    def _recording(self, row: Row, classes: Sequence[str]) -> dict[str, Any]:
        recording: dict[str, Any] = {
            'filename': row['filename'],
            'patient': _patient(row),
            'source': Path(self.ann_file).name,
            'modality': 'RGB',
            'start_index': 0,
            'override': {},
        }
        if row.get('view'):
            recording['view'] = row['view']
        if row.get('ef'):
            recording['ef'] = read_number(row, 'ef')
        if row.get('label'):
            recording['label'] = classes.index(row['label'])
        if row.get('fps'):
            recording['override']['fps'] = read_number(row, 'fps')
        if row.get('spacing'):
            recording['override']['spacing'] = read_spacing(row)
        return recording


def _patient(row: Row) -> str:
    return row.get('patient') or row['path']
