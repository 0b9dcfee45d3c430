"""CAMUS, in both releases: patients, their files, their cfg files and the splits."""

from __future__ import annotations

from pathlib import Path

from echocardmae_mm.datasets.checks.findings import Findings

_PUBLISHED_PATIENTS = 500
_PUBLISHED_SPLITS = {'training': 400, 'validation': 50, 'testing': 50}
_VIEWS = ('2CH', '4CH')
_EF_TOLERANCE = 1.0


def check_camus(root: Path) -> Findings | None:
    """Check the patients' folders.

    Args:
        root (Path): Folder of ``database_nifti`` (the NIfTI release) or of ``training`` and
            ``testing`` (the challenge's), or one of these itself.

    Returns:
        Findings, optional: None if there is no folder of a CAMUS patient.
    """
    patients = sorted(
        path
        for pattern in ('patient*', '*/patient*')
        for path in root.glob(pattern)
        if path.is_dir() and path.name[7:].isdigit()
    )
    if not patients:
        return None
    nifti = any(patients[0].glob('*.nii*'))
    findings = Findings(f'CAMUS, {"NIfTI" if nifti else "challenge"} release', root)
    findings.compare('patients', len(patients), _PUBLISHED_PATIENTS)
    findings.notes.append('EF differs between the releases by about 8 points: never mix them')
    if nifti:
        _compare_splits(findings, patients[0].parent.parent / 'database_split', patients)
    for patient in patients:
        for view in _VIEWS:
            _check_view(findings, patient, view, nifti)
    return findings


def _compare_splits(findings: Findings, folder: Path, patients: list[Path]) -> None:
    present, seen = {patient.name for patient in patients}, set[str]()
    for split, published in _PUBLISHED_SPLITS.items():
        path = folder / f'subgroup_{split}.txt'
        if not path.is_file():
            findings.notes.append(f'{path} is missing; needed for the split')
            continue
        names = set(path.read_text().split())
        findings.compare(f'patients in {path.name}', len(names), published)
        for name in sorted(names - present):
            findings.add(name, f'in {path.name}, but has no folder')
        for name in sorted(names & seen):
            findings.add(name, f'in {path.name} and in another split')
        seen |= names


def _check_view(findings: Findings, patient: Path, view: str, nifti: bool) -> None:
    stem = f'{patient.name}_{view}'
    info = read_info(patient / f'Info_{view}.cfg')
    if not info:
        findings.add(stem, f'Info_{view}.cfg is missing or empty')
    num_frames = int(info['NbFrame']) if info.get('NbFrame', '').isdigit() else None
    sequence = 'half_sequence' if nifti else 'sequence'
    expected = {sequence: num_frames, 'ED': 1, 'ES': 1, 'ED_gt': 1, 'ES_gt': 1}
    for kind, frames in expected.items():
        path = _image(patient, f'{stem}_{kind}', nifti)
        if path is not None:
            findings.recordings[str(path)] = frames
        elif not (kind.endswith('_gt') and patient.parent.name == 'testing'):
            findings.add(f'{stem}_{kind}', 'is missing')
    _check_instants(findings, stem, info)
    _check_ejection_fraction(findings, stem, info)


def _image(patient: Path, stem: str, nifti: bool) -> Path | None:
    suffixes = ('.nii.gz', '.nii') if nifti else ('.mhd',)
    candidates = (patient / f'{stem}{suffix}' for suffix in suffixes)
    return next((path for path in candidates if path.is_file()), None)


def _check_instants(findings: Findings, stem: str, info: dict[str, str]) -> None:
    for instant in ('ED', 'ES'):
        frame, last = info.get(instant, ''), info.get('NbFrame', '')
        if not (frame.isdigit() and last.isdigit() and 1 <= int(frame) <= int(last)):
            findings.add(stem, f'{instant}={frame!r} is no frame of 1 to {last!r} in its cfg file')


def _check_ejection_fraction(findings: Findings, stem: str, info: dict[str, str]) -> None:
    try:
        ef = float(info.get('EF') or info['LVef'])
        volumes = (float(info['LVedv']), float(info['LVesv'])) if 'LVedv' in info else None
    except (KeyError, ValueError):
        findings.add(stem, 'no EF in its cfg file')
        return
    if volumes and abs(100 * (volumes[0] - volumes[1]) / volumes[0] - ef) > _EF_TOLERANCE:
        findings.add(stem, f'EF {ef} does not fit its volumes {volumes}')


def read_info(path: Path) -> dict[str, str]:
    """Read a patient's cfg file.

    Args:
        path (Path): Lines ``key: value``.

    Returns:
        dict[str, str]: Empty if the file is missing.
    """
    if not path.is_file():
        return {}
    pairs = (line.split(':', 1) for line in path.read_text().splitlines() if ':' in line)
    return {key.strip(): value.strip() for key, value in pairs}
