"""Read the workbooks of HMC-QU: A4C.xlsx and A2C.xlsx, or HMC_QU.xlsx of the older archive."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from echocardmae_mm.utils.errors import UserError

_STEM, _SEGMENTS, _START, _END, _TRACED = 0, slice(1, 7), 7, 8, 9
_WIDTH, _HEADER_ROWS = 10, 2
_MAX_ROWS = 10_000
_TICK = 'ü'  # A tick in the font Wingdings.
_NUMBER = re.compile(r'ES(\d+)', re.IGNORECASE)


class HMCQURow(NamedTuple):
    """The row of one recording.

    Args:
        stem (str): Name of the recording without suffix, as written: 'ES0001 _4CH_1'.
        abnormal (tuple[bool | None, ...]): Whether segments 1, 2, 3, 5, 6 and 7 move abnormally;
            None for an empty cell.
        start (Any): Cell of the first frame of the cycle, counted from 1.
        end (Any): Cell of the last frame of the cycle, inclusive.
        is_traced (bool): Whether the wall of the ventricle is traced over this cycle.
    """

    stem: str
    abnormal: tuple[bool | None, ...]
    start: Any
    end: Any
    is_traced: bool

    @property
    def patient(self) -> str:
        """The number in the stem, such as '153' for 'ES000153 n_4CH_3'."""
        return _patient(self.stem)

    @property
    def label(self) -> int | None:
        """1 (infarction) if any segment is abnormal, 0 if all are normal, otherwise None."""
        if any(self.abnormal):
            return 1
        return None if None in self.abnormal else 0

    @property
    def cycle(self) -> tuple[int, int] | None:
        """First and last frame of a heart cycle, from 0; None if the cells are not valid."""
        start, end = _integer(self.start), _integer(self.end)
        if start is None or end is None or not 1 <= start < end:
            return None
        return start - 1, end - 1


def read_hmc_qu_workbook(path: Path) -> list[HMCQURow]:
    """Read a workbook by the position of its cells.

    Columns are the stem, six segments, first and last frame of a cycle and, except in A2C.xlsx, a
    tick for a traced wall. Only rows whose first cell begins with ES and a number are recordings.

    The coding of the segments is undocumented. If any segment is 2, then 1 means normal and 2
    abnormal; otherwise 0 means normal and 1 abnormal. A workbook that contains only 1 is ambiguous
    and read as all abnormal.

    Args:
        path (Path): The workbook.

    Returns:
        list[HMCQURow]: One per recording, in the order of the workbook.

    Raises:
        UserError: If the file is not a workbook of HMC-QU, or a segment has another code.
    """
    table = _cells(path)
    if not any('cycle' in str(row[_START]).lower() for row in table[:_HEADER_ROWS]):
        found = ', '.join(str(cell) for row in table[:1] for cell in row if cell is not None)
        raise UserError(
            f'{path}: expected the cardiac cycle in the eighth column; found {found or "nothing"}\n'
            'Download the workbook of HMC-QU again'
        )
    recordings = {number: row for number, row in enumerate(table, start=1) if _patient(row[_STEM])}
    if not recordings:
        raise UserError(
            f'{path}: contains no recording; expected rows that begin with a name such as '
            'ES0001 _4CH_1'
        )
    codes = {
        number: [_integer(cell) for cell in row[_SEGMENTS]] for number, row in recordings.items()
    }
    normal = 1 if any(2 in row_codes for row_codes in codes.values()) else 0
    rows = []
    for number, row in recordings.items():
        _require_codes(path, number, row[_SEGMENTS], normal)
        abnormal = tuple(None if code is None else code == normal + 1 for code in codes[number])
        is_traced = without_blanks(row[_TRACED]) == _TICK
        rows.append(HMCQURow(str(row[_STEM]).strip(), abnormal, row[_START], row[_END], is_traced))
    return rows


def without_blanks(stem: Any) -> str:
    """Remove the spaces of a stem, which differ between workbook and file names; '' for None."""
    return ''.join(str('' if stem is None else stem).split())


def _patient(stem: Any) -> str:
    """The number in a stem; '' if the cell does not name a recording."""
    found = _NUMBER.match(without_blanks(stem))
    return str(int(found[1])) if found else ''


def _cells(path: Path) -> list[tuple[Any, ...]]:
    values, formulas = (_read(path, data_only) for data_only in (True, False))
    for number, rows in enumerate(zip(values, formulas), start=1):
        for column, (value, formula) in zip('ABCDEFGHI', zip(*rows)):
            if value is None and formula is not None:
                raise UserError(
                    f'{path}: cell {column}{number} holds a formula without its value\n'
                    'Open the workbook in a spreadsheet program and save it'
                )
    return values


def _read(path: Path, data_only: bool) -> list[tuple[Any, ...]]:
    import openpyxl

    try:
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=data_only)
        sheet = workbook.active
        # A stray cell far away must not become a table of billions of cells.
        table = [*sheet.iter_rows(max_row=_MAX_ROWS, max_col=_WIDTH, values_only=True)]
        workbook.close()
    # For damaged files, openpyxl raises errors of zip, of XML and its own.
    except Exception as error:
        raise UserError(f'{path}: not a workbook ({error}); download it again') from error
    return [(*row, *[None] * _WIDTH)[:_WIDTH] for row in table]


def _require_codes(path: Path, number: int, segments: tuple[Any, ...], normal: int) -> None:
    for column, cell in zip('BCDEFG', segments):
        if without_blanks(cell) and _integer(cell) not in (normal, normal + 1):
            raise UserError(
                f'{path}: cell {column}{number} is {cell!r}; expected a segment, {normal} for '
                f'normal or {normal + 1} for abnormal'
            )


def _integer(cell: Any) -> int | None:
    try:
        number = float(cell)
    except (TypeError, ValueError):
        return None
    return int(number) if number.is_integer() else None
