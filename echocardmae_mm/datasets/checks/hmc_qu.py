"""Check the workbooks of HMC-QU, in either layout, against its recordings."""

from __future__ import annotations

from pathlib import Path

from echocardmae_mm.datasets.checks.findings import Findings
from echocardmae_mm.datasets.hmc_qu import HMCQUDataset, find_videos
from echocardmae_mm.datasets.hmc_qu_workbook import read_hmc_qu_workbook, without_blanks
from echocardmae_mm.utils.errors import UserError

_PUBLISHED_ROWS = {'A4C.xlsx': 162, 'A2C.xlsx': 160, 'HMC_QU.xlsx': 162}
_UNTRACED = 'A2C.xlsx'
_PUBLISHED_TRACED = 109


def check_hmc_qu(root: Path) -> Findings | None:
    """Check A4C.xlsx, A2C.xlsx and, of the older layout, HMC_QU.xlsx; None if there is none."""
    workbooks = [root / name for name in _PUBLISHED_ROWS if (root / name).is_file()]
    if not workbooks:
        return None
    findings = Findings('HMC-QU', root)
    masks = len(list(root.rglob('Mask_*.mat')))
    findings.compare("masks of the ventricle's wall", masks, _PUBLISHED_TRACED)
    videos = find_videos(root)
    findings.recordings = dict.fromkeys(map(str, videos.values()))
    for workbook in workbooks:
        _check_workbook(findings, workbook, videos)
    return findings


def _check_workbook(findings: Findings, path: Path, videos: dict[str, Path]) -> None:
    try:
        rows = read_hmc_qu_workbook(path)
    except UserError as error:
        findings.obstacles.append(str(error))
        return
    findings.compare(f'rows in {path.name}', len(rows), _PUBLISHED_ROWS[path.name])
    if path.name != _UNTRACED:
        traced = sum(row.is_traced for row in rows)
        findings.compare(f'traced rows in {path.name}', traced, _PUBLISHED_TRACED)
    for row in rows:
        if without_blanks(row.stem) not in videos:
            findings.add(row.stem, f'listed in {path.name}, but not on disk')
        if row.label is None:
            findings.add(row.stem, 'a segment is empty, so its label is unknown')
        if row.cycle is None:
            findings.add(row.stem, f'frames {row.start} to {row.end} are not a valid cycle')
    view = 'A2C' if path.name == _UNTRACED else 'A4C'
    dataset = HMCQUDataset(str(path.parent), view, traced_only=False, lazy_init=True)
    findings.require_index('infarction', dataset)
