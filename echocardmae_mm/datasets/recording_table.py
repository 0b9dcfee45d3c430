"""Read and check a table of recordings."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from difflib import get_close_matches
from pathlib import Path

from echocardmae_mm.datasets.csv_table import is_ef, read_number, read_table, strip_cell
from echocardmae_mm.datasets.patient_split import SPLITS
from echocardmae_mm.datasets.recordings.recording import is_positive
from echocardmae_mm.utils.errors import UserError

COLUMNS = ('path', 'ef', 'label', 'patient', 'split', 'view', 'fps', 'spacing')

#: Cells of one row by column, the number of its ``line`` and the ``filename`` of the recording.
Row = dict[str, str]


def read_recording_table(
    table: str | Path, root: str | Path, require: Collection[str] = ()
) -> list[Row]:
    """Read a CSV file with the column ``path`` and any of the other :data:`COLUMNS`.

    Args:
        table (str | Path): The file.
        root (str | Path): Base folder of relative paths.
        require (Collection[str]): Columns that every row must fill. Defaults to none.

    Returns:
        list[Row]: The known columns that the table has, without surrounding blanks; 'nan' is read
        as an empty cell.

    Raises:
        UserError: If the file or a column is missing, a column looks misspelt, a cell is empty or
            malformed, a recording is missing or listed twice, or a patient is in two splits.
    """
    if not Path(table).is_file():
        columns = ' and '.join(['path', *require])
        raise UserError(
            f'{table}: no such file; expected a CSV file with the columns {columns}\n'
            'Set ann_file to your table; it is relative to data_root if that is set'
        )
    found = read_table(table, ('path', *require))
    found.columns = found.columns.str.lower()
    _check_columns(table, [*found])
    cells = found[[name for name in COLUMNS if name in found]].to_dict('records')
    rows = [
        {**{name: strip_cell(cell) for name, cell in row.items()}, 'line': str(line)}
        for line, row in enumerate(cells, start=2)
    ]
    if not rows:
        raise UserError(f'{table}: no rows; expected one row per recording')
    for row in rows:
        for column in ('path', 'patient', 'split', *require):
            if not row.get(column, 'absent'):
                raise cell_error(table, row, column)
        for column, is_valid in _VALID.items():
            if row.get(column) and not is_valid(row):
                raise cell_error(table, row, column)
        row['filename'] = str(Path(root, row['path']))
    _refuse_repeated(table, rows)
    _refuse_missing(table, rows)
    _refuse_shared_patients(table, rows)
    _refuse_fractions(table, rows)
    return rows


def read_spacing(row: Row) -> tuple[float, float]:
    """Height and width of a pixel in mm; NaN if the cell is malformed."""
    height, _, width = row['spacing'].partition(';')
    cells = {'height': height, 'width': width or height}
    return read_number(cells, 'height'), read_number(cells, 'width')


def cell_error(table: str | Path, row: Row, column: str, expected: str = '') -> UserError:
    """An error that names the file, the line, the recording and the expected content of a cell."""
    found = repr(row[column]) if row[column] else 'empty'
    recording = f' ({row["path"]})' if row['path'] else ''
    return UserError(
        f'{table}, line {row["line"]}{recording}: {column} is {found}; '
        f'expected {expected or _EXPECTED[column]}'
    )


_VALID: dict[str, Callable[[Row], bool]] = {
    'ef': lambda row: is_ef(read_number(row, 'ef')),
    'split': lambda row: row['split'].lower() in SPLITS,
    'fps': lambda row: is_positive(read_number(row, 'fps')),
    'spacing': lambda row: all(map(is_positive, read_spacing(row))),
}
_EXPECTED = {
    'path': 'the file of a recording',
    'ef': 'a number from 0 to 100, in per cent',
    'label': 'the name or number of a class',
    'patient': 'the name or number of a patient',
    'split': 'train, val or test',
    'view': 'the name of a view',
    'fps': 'a number above 0, in frames per second',
    'spacing': 'millimetres per pixel, such as 0.3, or height;width such as 0.3;0.4',
}


def _check_columns(table: str | Path, found: list[str]) -> None:
    absent = [name for name in COLUMNS if name not in found]
    for name in found:
        if name in COLUMNS and found.count(name) > 1:
            raise UserError(f'{table}: has {found.count(name)} columns {name}; expected one')
        if name not in COLUMNS and (close := get_close_matches(name, absent, 1, cutoff=0.75)):
            raise UserError(
                f'{table}: column {name} is unknown; did you mean {close[0]}?\n'
                f'Rename it; the columns are {", ".join(COLUMNS)}, and others are ignored'
            )


def _refuse_repeated(table: str | Path, rows: list[Row]) -> None:
    lines: dict[str, str] = {}
    for row in rows:
        first = lines.setdefault(os.path.abspath(row['filename']), row['line'])
        if first != row['line']:
            raise UserError(
                f'{table}, line {row["line"]}: {row["path"]} is listed in line {first} already; '
                'expected one row per recording'
            )


def _refuse_missing(table: str | Path, rows: list[Row]) -> None:
    missing = [row for row in rows if not os.path.isfile(row['filename'])]
    if missing:
        raise UserError(
            f'{table}, line {missing[0]["line"]}: {missing[0]["filename"]} does not exist '
            f'({len(missing)} of {len(rows)} recordings are missing)\n'
            'Paths are relative to data_root, or to the folder of the table without data_root'
        )


def _refuse_shared_patients(table: str | Path, rows: list[Row]) -> None:
    firsts: dict[str, Row] = {}
    for row in rows:
        if not {'patient', 'split'} <= row.keys():
            return
        first = firsts.setdefault(row['patient'], row)
        if row['split'].lower() != first['split'].lower():
            raise UserError(
                f'{table}, line {row["line"]}: patient {row["patient"]} is in split '
                f'{row["split"]}, but in line {first["line"]} in split {first["split"]}\n'
                'Put all recordings of a patient into the same split'
            )


def _refuse_fractions(table: str | Path, rows: list[Row]) -> None:
    efs = [read_number(row, 'ef') for row in rows if row.get('ef')]
    if efs and max(efs) <= 1:
        raise UserError(
            f'{table}: no ef exceeds {max(efs):g}; expected per cent, such as 55 instead of 0.55'
        )
