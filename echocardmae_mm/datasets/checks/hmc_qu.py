"""HMC-QU, in both layouts: its workbooks against its recordings."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from echocardmae_mm.datasets.checks.findings import Findings
from echocardmae_mm.datasets.recordings import looks_like_recording

_WORKBOOKS = {'A4C.xlsx': 162, 'A2C.xlsx': 160, 'HMC_QU.xlsx': 162}
_PUBLISHED_MASKS = 109
_CYCLE_HEADER, _MASK_HEADER = 'cycle', 'ground-truth'


def check_hmc_qu(root: Path) -> Findings | None:
    """Check the workbooks.

    Args:
        root (Path): Folder of A4C.xlsx (and A2C.xlsx), or of HMC_QU.xlsx in the older layout.

    Returns:
        Findings, optional: None if there is no such workbook.
    """
    workbooks = [root / name for name in _WORKBOOKS if (root / name).is_file()]
    if not workbooks:
        return None
    findings = Findings('HMC-QU', root)
    videos = {
        _plain(path.stem): path
        for path in sorted(root.rglob('*'))
        if path.is_file() and looks_like_recording(path)
    }
    masks = len(list(root.rglob('Mask_*.mat')))
    findings.compare("masks of the ventricle's wall", masks, _PUBLISHED_MASKS)
    findings.recordings = dict.fromkeys(map(str, videos.values()))
    for workbook in workbooks:
        _check_workbook(findings, workbook, videos)
    return findings


def _check_workbook(findings: Findings, path: Path, videos: dict[str, Path]) -> None:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        table = list(openpyxl.load_workbook(path, read_only=True).active.values)
    except (InvalidFileException, KeyError, OSError, zipfile.BadZipFile) as error:
        findings.obstacles.append(f'{path}: not a workbook ({error})')
        return
    cycle, mask = _column(table, _CYCLE_HEADER), _column(table, _MASK_HEADER)
    rows = [row for row in table if _plain(row[0]).upper().startswith('ES0')]
    findings.compare(f'rows in {path.name}', len(rows), _WORKBOOKS[path.name])
    if cycle is None:
        findings.obstacles.append(f'{path}: no column of the cardiac cycle; found {table[:1]}')
        return
    if mask is not None:
        ticked = sum(bool(_plain(row[mask])) for row in rows)
        findings.compare(f'rows with a mask in {path.name}', ticked, _PUBLISHED_MASKS)
    for row in rows:
        if _plain(row[0]) not in videos:
            findings.add(row[0], f'listed in {path.name}, but not on disk')
        start, end = row[cycle], row[cycle + 1]
        if not _is_cycle(start, end):
            findings.add(row[0], f'its cycle, frames {start} to {end}, is none')


def _is_cycle(start: Any, end: Any) -> bool:
    return isinstance(start, int | float) and isinstance(end, int | float) and 1 <= start < end


def _column(table: list[tuple[Any, ...]], header: str) -> int | None:
    return next(
        (i for row in table[:2] for i, cell in enumerate(row) if header in str(cell).lower()), None
    )


def _plain(name: Any) -> str:
    return ''.join(str(name or '').split())
