"""EchoNet-Dynamic: its lists against each other, the files, and what was published."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np

from echocardmae_mm.datasets.checks.findings import Findings
from echocardmae_mm.datasets.echonet_dynamic import find_videos
from echocardmae_mm.datasets.echonet_lists import (
    FILE_LIST,
    ROWS_OF_A_TRACING,
    TRACINGS,
    read_number,
    read_rows,
    read_tracings,
    video_stem,
)
from echocardmae_mm.datasets.tracing import traced_area
from echocardmae_mm.utils.errors import UserError

_PUBLISHED_ROWS = 10030
_PUBLISHED_SPLITS = {'train': 7465, 'val': 1288, 'test': 1277}
_COLUMNS = ('FileName', 'EF', 'ESV', 'EDV', 'NumberOfFrames', 'Split')
_EF_TOLERANCE = 0.1


def check_echonet_dynamic(root: Path) -> Findings | None:
    """Check FileList.csv and VolumeTracings.csv.

    Args:
        root (Path): The folder.

    Returns:
        Findings, optional: None if there is no FileList.csv.
    """
    if not (root / FILE_LIST).is_file():
        return None
    findings = Findings('EchoNet-Dynamic', root)
    try:
        rows = read_rows(root / FILE_LIST, _COLUMNS)
    except UserError as error:
        findings.obstacles.append(str(error))
        return findings
    findings.compare(f'rows in {FILE_LIST}', len(rows), _PUBLISHED_ROWS)
    splits = Counter(row['Split'].strip().lower() for row in rows)
    for split, published in _PUBLISHED_SPLITS.items():
        findings.compare(f'of split {split}', splits.pop(split, 0), published)
    if not any(row['Split'].strip().lower() == 'train' for row in rows):
        findings.obstacles.append(f'{root / FILE_LIST}: no rows of split train')
    if splits:
        findings.notes.append(f'unknown splits: {dict(splits)}')
    first_rows: dict[str, dict[str, str]] = {}
    for row in rows:
        stem = video_stem(row['FileName'])
        if first_rows.setdefault(stem, row) is not row:
            findings.add(stem, f'listed again in {FILE_LIST}; the first row counts')
    _check_files(findings, first_rows)
    for stem, row in first_rows.items():
        _check_ejection_fraction(findings, stem, row)
    _check_tracings(findings, first_rows)
    return findings


def _check_files(findings: Findings, rows: dict[str, dict[str, str]]) -> None:
    videos = find_videos(findings.root)
    for stem, row in rows.items():
        if stem in videos:
            frames = read_number(row, 'NumberOfFrames')
            filename = str(videos[stem])
            findings.recordings[filename] = int(frames) if math.isfinite(frames) else None
            if row['Split'].strip().lower() == 'val':
                findings.validation.add(filename)
        else:
            findings.add(stem, 'listed, but not on disk')
    findings.notes.append(f'{len(videos.keys() - rows.keys()):,} videos on disk are not listed')


def _check_ejection_fraction(findings: Findings, stem: str, row: dict[str, str]) -> None:
    ef, edv, esv = (read_number(row, column) for column in ('EF', 'EDV', 'ESV'))
    if not math.isfinite(ef):
        findings.add(stem, f'no EF in the list: {row["EF"]!r}')
    elif edv > 0 and abs(100 * (edv - esv) / edv - ef) > _EF_TOLERANCE:
        expected = 100 * (edv - esv) / edv
        findings.add(stem, f'EF {ef:.1f} does not fit its volumes, which give {expected:.1f}')


def _check_tracings(findings: Findings, rows: dict[str, dict[str, str]]) -> None:
    path = findings.root / TRACINGS
    if not path.is_file():
        findings.notes.append(f'no {TRACINGS}: no segmentation, and drop_untraced drops all')
        return
    try:
        tracings = read_tracings(path)
    except UserError as error:
        findings.obstacles.append(str(error))
        return
    unlisted = sorted(tracings.keys() - rows.keys())
    if unlisted:
        findings.notes.append(f'{len(unlisted)} traced but not listed: {", ".join(unlisted[:3])}')
    larger_first = 0
    for stem, row in rows.items():
        frames = tracings.get(stem, {})
        _check_frames(findings, stem, frames, read_number(row, 'NumberOfFrames'))
        areas = [traced_area(tracing) for tracing in frames.values()]
        larger_first += len(areas) == 2 and areas[0] > areas[1]
    findings.notes.append(
        f'{len(tracings):,} traced; in {larger_first:,} the larger area, end-diastole, comes first'
    )


def _check_frames(
    findings: Findings, stem: str, frames: dict[int, np.ndarray], num_frames: float
) -> None:
    if len(frames) != 2:
        findings.add(stem, f'{len(frames)} traced frames, not 2')
    outside = [frame for frame in frames if not 0 <= frame < num_frames]
    if outside and math.isfinite(num_frames):
        findings.add(stem, f'traced frames {outside} lie outside its {num_frames:.0f} frames')
    odd = [len(tracing) for tracing in frames.values() if len(tracing) != ROWS_OF_A_TRACING]
    if odd:
        findings.add(stem, f'a tracing of {odd[0]} rows, not {ROWS_OF_A_TRACING}')
    areas = [traced_area(tracing) for tracing in frames.values()]
    if len(areas) == 2 and areas[0] == areas[1]:
        findings.add(stem, 'both traced areas are the same: end-diastole cannot be told')
