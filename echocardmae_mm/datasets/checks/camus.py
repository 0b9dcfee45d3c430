"""Check CAMUS, in both releases: patients, images, cfg files and splits."""

from __future__ import annotations

import math
from pathlib import Path

from echocardmae_mm.datasets.camus import CAMUSDataset
from echocardmae_mm.datasets.camus_index import (
    INSTANTS,
    NIFTI,
    VIEWS,
    Patient,
    ejection_fraction,
    find_patients,
    frame_count,
    instant_frame,
)
from echocardmae_mm.datasets.camus_seg import CAMUSSegDataset
from echocardmae_mm.datasets.checks.findings import Findings
from echocardmae_mm.datasets.csv_table import is_ef, read_number
from echocardmae_mm.utils.text_files import read_text

_PUBLISHED_PATIENTS = 500
_PUBLISHED_SPLITS = {'training': 400, 'validation': 50, 'testing': 50}
_EF_TOLERANCE = 1.0


def check_camus(root: Path) -> Findings | None:
    """Check the patients that :func:`find_patients` finds; None if there is none."""
    patients = find_patients(root)
    if not patients:
        return None
    releases = {patient.release for patient in patients}
    findings = Findings(' and '.join(sorted(releases)), root)
    if len(releases) > 1:
        findings.obstacles.append(
            f'{root}: contains both releases, whose EF differ: set data_root to one of them'
        )
    findings.compare('patients', len(patients), _PUBLISHED_PATIENTS)
    findings.notes.append('EF differs between the releases by about 8 points: never mix them')
    if releases == {NIFTI}:
        _check_splits(findings, patients[0].folder.parent.parent / 'database_split', patients)
    for patient in patients:
        for view in VIEWS:
            _check_view(findings, patient, view)
    if len(releases) == 1:
        dataset = CAMUSDataset(data_root=str(root), views=VIEWS, lazy_init=True)
        findings.require_index('ejection fraction', dataset)
    return findings


def _check_splits(findings: Findings, folder: Path, patients: list[Patient]) -> None:
    present, seen = {patient.name for patient in patients}, set[str]()
    for split, published in _PUBLISHED_SPLITS.items():
        path = folder / f'subgroup_{split}.txt'
        if not path.is_file():
            findings.notes.append(f'{path} is missing; segmentation needs it to split the patients')
            continue
        names = set(read_text(path).split())
        findings.compare(f'patients in {path.name}', len(names), published)
        for name in sorted(names - present):
            findings.add(name, f'listed in {path.name}, but has no folder')
        for name in sorted(names & seen):
            findings.add(name, f'listed in {path.name} and in another split')
        seen |= names


def _check_view(findings: Findings, patient: Patient, view: str) -> None:
    stem, info = f'{patient.name}_{view}', patient.info(view)
    if not info:
        findings.add(stem, f'Info_{view}.cfg is missing or empty')
    expected = {'sequence': frame_count(info, 'NbFrame'), 'ED': 1, 'ES': 1, 'ED_gt': 1, 'ES_gt': 1}
    for kind, frames in expected.items():
        path = patient.image(view, kind)
        if path is not None:
            findings.recordings[str(path)] = frames
            if kind.endswith('_gt'):
                findings.label_classes[str(path)] = len(CAMUSSegDataset.METAINFO['classes'])
        elif not (kind.endswith('_gt') and patient.may_lack_labels):
            findings.add(f'{stem}_{kind}', 'is missing')
    frames_of_instants = [instant_frame(info, instant) for instant in INSTANTS]
    if frames_of_instants[0] is not None and len(set(frames_of_instants)) == 1:
        findings.add(stem, f'ED and ES are the same frame, {info["ED"]}, in its cfg file')
    for instant, frame in zip(INSTANTS, frames_of_instants):
        if frame is None:
            stated, last = info.get(instant, ''), info.get('NbFrame', '')
            findings.add(stem, f'{instant}={stated!r} in its cfg file must lie in 1 to {last!r}')
    _check_ejection_fraction(findings, stem, info)


def _check_ejection_fraction(findings: Findings, stem: str, info: dict[str, str]) -> None:
    ef = ejection_fraction(info)
    if not is_ef(ef):
        findings.add(stem, 'no EF between 0 and 100 in its cfg file')
    elif 'LVedv' in info:
        edv, esv = read_number(info, 'LVedv'), read_number(info, 'LVesv')
        if not (0 < edv < math.inf and 0 <= esv < math.inf):
            findings.add(stem, 'no volumes in its cfg file')
        elif abs(100 * (edv - esv) / edv - ef) > _EF_TOLERANCE:
            findings.add(stem, f'EF {ef} contradicts its volumes {(edv, esv)}')
