"""Workbooks of HMC-QU as its owners ship them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import openpyxl

CELLS = ['ECHO', *(f'SEG{i}' for i in (1, 2, 3, 5, 6, 7)), 'One cardiac-cycle frames', None]
HEADER = [
    [*CELLS, 'LV Wall Ground-truth Segmentation Masks'],
    [*[None] * 7, 'START', 'END'],
]


def write_workbook(path: Path, rows: Iterable[Sequence], header: Sequence = HEADER) -> Path:
    """Write rows of stem, six segments, start and end of the cycle, and tick."""
    workbook = openpyxl.Workbook()
    for row in (*header, *rows):
        workbook.active.append(row)
    workbook.save(path)
    return path
