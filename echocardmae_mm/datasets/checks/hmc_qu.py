"""HMC-QU, in both layouts: its workbooks against its recordings."""

from __future__ import annotations

from pathlib import Path

from echocardmae_mm.datasets.checks.findings import Findings
from echocardmae_mm.datasets.hmc_qu_workbook import read_workbook, squeezed
from echocardmae_mm.datasets.recordings import looks_like_recording
from echocardmae_mm.errors import EchoError

_WORKBOOKS = {'A4C.xlsx': 162, 'A2C.xlsx': 160, 'HMC_QU.xlsx': 162}
_WITHOUT_TRACINGS = 'A2C.xlsx'
_PUBLISHED_MASKS = 109


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
        squeezed(path.stem): path
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
    try:
        rows = read_workbook(path)
    except EchoError as error:
        findings.obstacles.append(str(error))
        return
    findings.compare(f'rows in {path.name}', len(rows), _WORKBOOKS[path.name])
    if path.name != _WITHOUT_TRACINGS:
        traced = sum(row.is_traced for row in rows)
        findings.compare(f'rows with a mask in {path.name}', traced, _PUBLISHED_MASKS)
    for row in rows:
        if squeezed(row.name) not in videos:
            findings.add(row.name, f'listed in {path.name}, but not on disk')
        if row.cycle is None:
            findings.add(row.name, f'its cycle in {path.name} is none: expected two frames, from 1')
