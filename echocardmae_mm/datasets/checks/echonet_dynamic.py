"""Check EchoNet-Dynamic's lists against each other, the files and the published counts."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np

from echocardmae_mm.datasets.checks.findings import Findings
from echocardmae_mm.datasets.csv_table import read_number, read_table
from echocardmae_mm.datasets.echonet_dynamic import EchoNetDynamicDataset
from echocardmae_mm.datasets.echonet_lists import (
    FILE_LIST,
    ROWS_OF_A_TRACING,
    TRACINGS,
    find_videos,
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
    """Check FileList.csv and VolumeTracings.csv of a folder; None if there is no FileList.csv."""
    if not (root / FILE_LIST).is_file():
        return None
    findings = Findings('EchoNet-Dynamic', root)
    try:
        table = read_table(root / FILE_LIST, _COLUMNS)
        tracings = read_tracings(root / TRACINGS)
    except UserError as error:
        findings.obstacles.append(str(error))
        return findings
    table['Split'] = table['Split'].str.strip().str.lower()
    _check_splits(findings, table['Split'].tolist())
    rows: dict[str, dict[str, str]] = {}
    for row in table.to_dict('records'):
        stem = video_stem(row['FileName'])
        if rows.setdefault(stem, row) is not row:
            findings.add(stem, f'listed again in {FILE_LIST}; only the first row is used')
    _check_files(findings, rows)
    for stem, row in rows.items():
        _check_ejection_fraction(findings, stem, row)
    if (root / TRACINGS).is_file():
        _check_tracings(findings, rows, tracings)
    else:
        findings.notes.append(
            f'no {TRACINGS}: segmentation is impossible, and drop_untraced=True drops everything'
        )
    dataset = EchoNetDynamicDataset(data_root=str(root), require_ef=True, lazy_init=True)
    findings.require_index('ejection fraction', dataset)
    return findings


def _check_splits(findings: Findings, splits: list[str]) -> None:
    findings.compare(f'rows in {FILE_LIST}', len(splits), _PUBLISHED_ROWS)
    counts = Counter(splits)
    for split, published in _PUBLISHED_SPLITS.items():
        findings.compare(f'rows of split {split}', counts[split], published)
    if not counts['train']:
        findings.obstacles.append(f'{findings.root / FILE_LIST}: no rows of split train')
    if unknown := {name: count for name, count in counts.items() if name not in _PUBLISHED_SPLITS}:
        findings.notes.append(f'unknown splits: {unknown}')


def _check_files(findings: Findings, rows: dict[str, dict[str, str]]) -> None:
    videos = find_videos(findings.root)
    for stem, row in rows.items():
        if stem not in videos:
            findings.add(stem, 'listed, but not on disk')
            continue
        frames, filename = read_number(row, 'NumberOfFrames'), str(videos[stem])
        findings.recordings[filename] = int(frames) if math.isfinite(frames) else None
    findings.notes.append(f'{len(videos.keys() - rows.keys()):,} videos on disk are not listed')


def _check_ejection_fraction(findings: Findings, stem: str, row: dict[str, str]) -> None:
    ef, edv, esv = (read_number(row, column) for column in ('EF', 'EDV', 'ESV'))
    expected = 100 * (edv - esv) / edv if edv > 0 else math.nan
    if not math.isfinite(ef):
        findings.add(stem, f'no EF in the list: {row["EF"]!r}')
    elif abs(expected - ef) > _EF_TOLERANCE:
        findings.add(stem, f'EF {ef:.1f} contradicts its volumes, which give {expected:.1f}')


def _check_tracings(
    findings: Findings, rows: dict[str, dict[str, str]], tracings: dict[str, dict[int, np.ndarray]]
) -> None:
    if unlisted := sorted(tracings.keys() - rows.keys()):
        findings.notes.append(f'{len(unlisted)} traced, but not listed: {", ".join(unlisted[:3])}')
    if not any(len(frames) == 2 for frames in tracings.values()):
        findings.obstacles.append(
            f'segmentation: {findings.root / TRACINGS}: no recording has two traced frames'
        )
    larger_first = 0
    for stem, row in rows.items():
        frames = tracings.get(stem, {})
        areas = [traced_area(tracing) for tracing in frames.values()]
        larger_first += len(areas) == 2 and areas[0] > areas[1]
        if len(frames) != 2:
            findings.add(stem, f'{len(frames)} traced frames, not 2')
        elif areas[0] == areas[1]:
            findings.add(stem, 'both traced areas are equal: end-diastole is ambiguous')
        num_frames = read_number(row, 'NumberOfFrames')
        outside = [frame for frame in frames if not 0 <= frame < num_frames]
        if outside and math.isfinite(num_frames):
            findings.add(stem, f'traced frames {outside} exceed its {num_frames:.0f} frames')
        odd = [len(tracing) for tracing in frames.values() if len(tracing) != ROWS_OF_A_TRACING]
        if odd:
            findings.add(stem, f'a tracing has {odd[0]} rows, not {ROWS_OF_A_TRACING}')
    findings.notes.append(
        f'{len(tracings):,} traced; {larger_first:,} list the larger area (end-diastole) first'
    )
