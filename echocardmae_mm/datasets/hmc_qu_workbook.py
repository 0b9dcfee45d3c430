"""The workbooks of HMC-QU: A4C.xlsx and A2C.xlsx, HMC_QU.xlsx in the older archive."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from echocardmae_mm.utils.errors import UserError

_STEM, _SEGMENTS, _START, _END, _MASK = 0, slice(1, 7), 7, 8, 9
_WIDTH, _HEADER_ROWS = 10, 2
_CYCLE_HEADER = 'cycle'
_TICK = 'ü'
_NUMBER = re.compile(r'ES(\d+)', re.IGNORECASE)


class HMCQURow(NamedTuple):
    """What a workbook says of one recording.

    Args:
        stem (str): Name of the recording without suffix, as it is written: 'ES0001 _4CH_1'.
        abnormal (tuple[bool | None, ...]): Whether the wall moves badly, for each of segments 1, 2,
            3, 5, 6 and 7; None for an empty cell.
        start (Any): The cell of the cycle's first frame, counted from 1.
        end (Any): The cell of the cycle's last frame, which belongs to it.
        is_masked (bool): Whether the wall of the ventricle is traced over this cycle.
    """

    stem: str
    abnormal: tuple[bool | None, ...]
    start: Any
    end: Any
    is_masked: bool

    @property
    def patient(self) -> str:
        """The number in the stem: '153' of 'ES000153 n_4CH_3'."""
        return _patient(self.stem)

    @property
    def label(self) -> int | None:
        """1 for an infarction, which is any abnormal segment, 0 where all are normal, else None."""
        if any(self.abnormal):
            return 1
        return None if None in self.abnormal else 0

    @property
    def cycle(self) -> tuple[int, int] | None:
        """First and last frame of a heart cycle, from 0; None where the cells state none."""
        start, end = _whole_number(self.start), _whole_number(self.end)
        if start is None or end is None or not 1 <= start < end:
            return None
        return start - 1, end - 1


def read_hmc_qu_workbook(path: Path) -> list[HMCQURow]:
    """Read a workbook by the places of its cells, below a header of two rows.

    Columns are the stem, six segments, first and last frame of a cycle and, but for A2C.xlsx, the
    tick of a mask, ``ü`` (a tick in the font Wingdings). Rows whose first cell does not begin with
    ES and a number are no recordings.

    The owners do not say how the segments are coded. A 2 anywhere in the workbook means 1 for
    normal and 2 for abnormal, otherwise 0 means normal and 1 abnormal. A workbook of nothing but 1
    could be either, and is read as all abnormal.

    Args:
        path (Path): The workbook.

    Returns:
        list[HMCQURow]: One for each recording, in the order of the workbook.

    Raises:
        UserError: If the file is no workbook or not one of HMC-QU, or a segment is coded otherwise.
    """
    table = _cells(path)
    if not any(_CYCLE_HEADER in str(row[_START]).lower() for row in table[:_HEADER_ROWS]):
        found = ', '.join(str(cell) for row in table[:1] for cell in row if cell is not None)
        raise UserError(
            f'{path}: no column of the cardiac cycle, expected as the eighth one; found '
            f'{found or "nothing"}\nIt should be a workbook as HMC-QU ships it; download it again'
        )
    recordings = {number: row for number, row in enumerate(table, start=1) if _patient(row[_STEM])}
    if not recordings:
        raise UserError(
            f'{path}: no recording in it; expected rows that begin with names such as ES0001 _4CH_1'
        )
    abnormal = _abnormal_segments(path, recordings)
    return [
        HMCQURow(
            str(row[_STEM]).strip(),
            abnormal[number],
            row[_START],
            row[_END],
            plain_stem(row[_MASK]) == _TICK,
        )
        for number, row in recordings.items()
    ]


def plain_stem(stem: Any) -> str:
    """A stem without its blanks, which workbooks and file names set differently.

    Args:
        stem (Any): A stem, or a cell of a workbook.

    Returns:
        str: '' for an empty cell.
    """
    return ''.join(str('' if stem is None else stem).split())


def _patient(stem: Any) -> str:
    """The number in a stem; '' for a cell that names no recording."""
    found = _NUMBER.match(plain_stem(stem))
    return str(int(found[1])) if found else ''


def _cells(path: Path) -> list[tuple[Any, ...]]:
    import openpyxl

    try:
        table = list(openpyxl.load_workbook(path, data_only=True).active.values)
    # A damaged file lets openpyxl pass on whatever zip, XML and its own classes raise.
    except Exception as error:
        raise UserError(f'{path}: not a workbook ({error}); download it again') from error
    return [(*row, *[None] * _WIDTH)[:_WIDTH] for row in table]


def _abnormal_segments(
    path: Path, recordings: dict[int, tuple[Any, ...]]
) -> dict[int, tuple[bool | None, ...]]:
    segments = {
        number: [_whole_number(cell) for cell in row[_SEGMENTS]]
        for number, row in recordings.items()
    }
    normal = 1 if any(2 in codes for codes in segments.values()) else 0
    for number, codes in segments.items():
        for column, code in enumerate(codes, start=_SEGMENTS.start):
            is_empty = not plain_stem(recordings[number][column])
            if code not in (normal, normal + 1) and not is_empty:
                raise UserError(
                    f'{path}: cell {"ABCDEFG"[column]}{number} is {recordings[number][column]!r}; '
                    f'expected a segment, {normal} for normal or {normal + 1} for abnormal'
                )
    return {
        number: tuple(None if code is None else code == normal + 1 for code in codes)
        for number, codes in segments.items()
    }


def _whole_number(cell: Any) -> int | None:
    try:
        number = float(cell)
    except (TypeError, ValueError):
        return None
    return int(number) if number.is_integer() else None
