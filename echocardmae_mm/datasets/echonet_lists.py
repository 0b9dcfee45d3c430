"""The two lists of EchoNet-Dynamic: FileList.csv and VolumeTracings.csv, with all their dirt."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from echocardmae_mm.utils.errors import UserError

FILE_LIST = 'FileList.csv'
TRACINGS = 'VolumeTracings.csv'
ROWS_OF_A_TRACING = 21
_TRACING_COLUMNS = ('FileName', 'X1', 'Y1', 'X2', 'Y2', 'Frame')
_VIDEO_SUFFIXES = ('.avi', '.mp4')


def video_stem(name: str) -> str:
    """Name of a video without the suffix that VolumeTracings.csv has and FileList.csv lacks.

    Args:
        name (str): As the list has it.

    Returns:
        str: The name that both lists share.
    """
    name = name.strip()
    return Path(name).stem if name.lower().endswith(_VIDEO_SUFFIXES) else name


def read_rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a CSV list.

    Args:
        path (Path): The list.
        columns (tuple[str, ...]): Columns that it must have; case does not matter.

    Returns:
        list[dict]: One dict a row, by the names of ``columns``; other columns keep their own.

    Raises:
        UserError: If a column is missing, or the file is no list.
    """
    try:
        with path.open(encoding='utf-8-sig', newline='') as lines:
            reader = csv.DictReader(lines, restval='')
            found = [name.strip() for name in reader.fieldnames or []]
            expected = {name.lower(): name for name in columns}
            reader.fieldnames = [expected.get(name.lower(), name) for name in found]
            rows = list(reader)
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f'{path}: not a list of comma-separated values ({error})') from error
    missing = [name for name in columns if name not in reader.fieldnames]
    if missing:
        there = ', '.join(found) or 'nothing'
        raise UserError(f'{path}: missing column {", ".join(missing)}; found {there}')
    return rows


def read_number(row: dict[str, str], column: str) -> float:
    """A number of a list.

    Args:
        row (dict): Row of the list.
        column (str): Its column.

    Returns:
        float: NaN where the column or the number is missing or is none.
    """
    try:
        return float(row.get(column) or 'nan')
    except ValueError:
        return float('nan')


def read_tracings(path: Path) -> dict[str, dict[int, np.ndarray]]:
    """Tracings of the left ventricle.

    Args:
        path (Path): VolumeTracings.csv.

    Returns:
        dict: For each video's stem, for each traced frame in the order of the file, the rows
        (x1, y1, x2, y2) in pixels as float64 (n, 4). The first row is the long axis, the others,
        normally 20, are chords from the apex on.

    Raises:
        UserError: If a column is missing, or a row holds what is no number.
    """
    tracings: dict[str, dict[int, list[tuple[float, ...]]]] = {}
    for number, row in enumerate(read_rows(path, _TRACING_COLUMNS), start=2):
        try:
            x1, y1, x2, y2, frame = (float(row[column]) for column in _TRACING_COLUMNS[1:])
            frames = tracings.setdefault(video_stem(row['FileName']), {})
            frames.setdefault(int(frame), []).append((x1, y1, x2, y2))
        except (TypeError, ValueError, AttributeError) as error:
            raise UserError(f'{path}, line {number}: not a tracing ({error})') from error
    return {
        stem: {frame: np.array(rows) for frame, rows in frames.items()}
        for stem, frames in tracings.items()
    }
