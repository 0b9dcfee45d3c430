"""HMC-QU, in both layouts: its workbooks against its recordings."""

from __future__ import annotations

from pathlib import Path

from echocardmae_mm.datasets.checks.findings import Findings
from echocardmae_mm.datasets.hmc_qu import find_videos
from echocardmae_mm.datasets.hmc_qu_workbook import plain_stem, read_hmc_qu_workbook
from echocardmae_mm.utils.errors import UserError

_WORKBOOKS = {'A4C.xlsx': 162, 'A2C.xlsx': 160, 'HMC_QU.xlsx': 162}
_WITHOUT_MASKS = 'A2C.xlsx'
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
    videos = find_videos(root)
    masks = len(list(root.rglob('Mask_*.mat')))
    findings.compare("masks of the ventricle's wall", masks, _PUBLISHED_MASKS)
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
    findings.compare(f'rows in {path.name}', len(rows), _WORKBOOKS[path.name])
    if path.name != _WITHOUT_MASKS:
        ticked = sum(row.is_masked for row in rows)
        findings.compare(f'rows with a mask in {path.name}', ticked, _PUBLISHED_MASKS)
    for row in rows:
        if plain_stem(row.stem) not in videos:
            findings.add(row.stem, f'listed in {path.name}, but not on disk')
        if row.cycle is None:
            findings.add(row.stem, f'its cycle, frames {row.start} to {row.end}, is none')
