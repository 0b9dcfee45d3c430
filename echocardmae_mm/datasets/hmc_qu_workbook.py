"""The workbooks of HMC-QU: which segments move badly, the cardiac cycle, whose wall is traced."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from echocardmae_mm.errors import EchoError

_SEGMENTS = slice(1, 7)
_START, _END, _TICK = 7, 8, 9
_HEADER_ROWS = 2


class EchoRow(NamedTuple):
    """A recording of a workbook.

    Args:
        name (str): Stem of its file, as it is written.
        infarction (bool | None): Whether any segment is abnormal; None where no segment is coded.
        cycle (tuple[int, int] | None): First and last frame of the given cardiac cycle, from 0,
            both belonging to it; None where the cells hold none.
        is_traced (bool): Whether the ventricle's wall is traced: the tick of the last column.
    """

    name: str
    infarction: bool | None
    cycle: tuple[int, int] | None
    is_traced: bool


def read_workbook(path: Path) -> list[EchoRow]:
    """Read A4C.xlsx, A2C.xlsx or HMC_QU.xlsx by position, below its header of two rows.

    The columns are the recording, six segments, first and last frame of a cycle, from 1, and, but
    for A2C.xlsx, the tick. Segments are coded 0 and 1, or 1 and 2, the larger number for abnormal:
    where a 2 stands anywhere in the workbook, the second; else the first.

    Args:
        path (Path): The workbook.

    Returns:
        list[EchoRow]: In the order of the workbook.

    Raises:
        EchoError: If the file is no such workbook, or a segment holds another number.
    """
    rows = [row for row in _cells(path)[_HEADER_ROWS:] if row and squeezed(row[0])]
    wide = [row + (None,) * (_TICK + 1 - len(row)) for row in rows]
    if not any(_cycle(row[_START], row[_END]) for row in wide):
        raise EchoError(
            f'{path}: no rows of recording, six segments, first and last frame below a header of '
            'two rows\nTake the workbook as HMC-QU ships it'
        )
    codes = {code for row in wide for code in _codes(path, row)}
    if not codes <= {0, 1} and not codes <= {1, 2}:
        raise EchoError(
            f'{path}: segments hold {", ".join(f"{code:g}" for code in sorted(codes))}; expected 0 '
            'and 1, or 1 and 2'
        )
    abnormal = 2 if 2 in codes else 1
    return [
        EchoRow(
            name=str(row[0]).strip(),
            infarction=abnormal in found if (found := _codes(path, row)) else None,
            cycle=_cycle(row[_START], row[_END]),
            is_traced=bool(squeezed(row[_TICK])),
        )
        for row in wide
    ]


def squeezed(name: Any) -> str:
    """A name without blanks, of which HMC-QU has some too many.

    Args:
        name (Any): A cell or a file's stem.

    Returns:
        str: Empty for an empty cell.
    """
    return ''.join(str('' if name is None else name).split())


def _cells(path: Path) -> list[tuple[Any, ...]]:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True)
        return list(book.active.values)
    except (InvalidFileException, KeyError, OSError, zipfile.BadZipFile) as error:
        raise EchoError(f'{path}: not a workbook ({error})') from error


def _codes(path: Path, row: tuple[Any, ...]) -> list[float]:
    try:
        return [float(cell) for cell in row[_SEGMENTS] if squeezed(cell)]
    except (TypeError, ValueError) as error:
        raise EchoError(
            f'{path}: a segment of {row[0]} holds no number: {row[_SEGMENTS]}'
        ) from error


def _cycle(start: Any, end: Any) -> tuple[int, int] | None:
    is_cycle = isinstance(start, int | float) and isinstance(end, int | float) and 1 <= start < end
    return (int(start) - 1, int(end) - 1) if is_cycle else None
