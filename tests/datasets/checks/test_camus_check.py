"""CAMUS in both releases, written here as their owners ship them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from echocardmae_mm.datasets.checks import Findings, recognise
from tests.helpers.camus import write_view

INFO = 'ED: 1\nES: 10\nNbFrame: 10\nSex: F\nAge: 60\nImageQuality: Good\n'


@pytest.fixture
def nifti_root(tmp_path) -> Path:
    root = tmp_path / 'CAMUS'
    still, moving = np.ones((16, 12), np.uint8), np.ones((10, 16, 12), np.uint8)
    images = dict.fromkeys(('ED', 'ES', 'ED_gt', 'ES_gt'), still)
    images |= dict.fromkeys(('half_sequence', 'half_sequence_gt'), moving)
    for number in (1, 2, 3):
        folder = root / 'database_nifti' / f'patient{number:04d}'
        for view in ('2CH', '4CH'):
            write_view(folder, view, f'{INFO}EF: 55\nFrameRate: 48.2\n', images)
    split = root / 'database_split'
    split.mkdir()
    for name, number in (('training', 1), ('validation', 2), ('testing', 3)):
        (split / f'subgroup_{name}.txt').write_text(f'patient{number:04d}\n')
    return root


def only(root: Path) -> Findings:
    (findings,) = recognise(root)
    return findings


def test_a_clean_nifti_release(nifti_root):
    for root in (nifti_root, nifti_root.parent):
        findings = only(root)
        assert findings.name == 'CAMUS, NIfTI release'
        assert findings.problems == []
        assert findings.obstacles == []
        assert '3 patients; the published set has 500' in findings.notes
        stated = {Path(name).name[16:]: frames for name, frames in findings.recordings.items()}
        assert stated['half_sequence.nii.gz'] == 10
        assert stated['ED.nii.gz'] == 1
        assert len(findings.recordings) == 30


def test_equal_instants_stop_training(nifti_root):
    info = nifti_root / 'database_nifti' / 'patient0002' / 'Info_4CH.cfg'
    info.write_text(info.read_text().replace('ES: 10', 'ES: 1'))
    findings = only(nifti_root)
    (problem,), (obstacle,) = findings.problems, findings.obstacles
    assert 'ED and ES are the same frame, 1' in str(problem)
    assert obstacle == f'ejection fraction: {info}: ED and ES are the same frame, 1'


def test_problems_of_the_nifti_release(nifti_root):
    folder = nifti_root / 'database_nifti' / 'patient0002'
    (folder / 'patient0002_4CH_ES_gt.nii.gz').unlink()
    (folder / 'Info_4CH.cfg').write_text(INFO.replace('ES: 10', 'ES: 11') + 'EF: high\n')
    (folder / 'Info_2CH.cfg').unlink()
    split = nifti_root / 'database_split'
    (split / 'subgroup_validation.txt').write_text('patient0001\npatient0009\n')
    reasons = dict(only(nifti_root).problems)
    assert reasons['patient0002_4CH_ES_gt'] == 'is missing'
    assert 'no EF' in reasons['patient0002_4CH']
    assert 'and in another split' in reasons['patient0001']
    assert 'has no folder' in reasons['patient0009']
    told = [reason for where, reason in only(nifti_root).problems if where == 'patient0002_4CH']
    assert any("ES='11' in its cfg file must lie in 1 to '10'" in reason for reason in told)
    assert any('Info_2CH.cfg is missing' in reason for _, reason in only(nifti_root).problems)


def test_the_challenge_release(tmp_path):
    for part, number in (('training', 1), ('testing', 2)):
        folder = tmp_path / part / f'patient{number:04d}'
        volumes = 'LVedv: 100\nLVesv: 40\nLVef: 60\n' if number == 1 else 'LVef: 60\n'
        kinds = ('ED', 'ES', 'sequence') + (('ED_gt', 'ES_gt') if number == 1 else ())
        images = dict.fromkeys(kinds, np.ones((10, 6, 8), np.uint8))
        for view in ('2CH', '4CH'):
            write_view(folder, view, INFO + volumes, images, suffix='.mhd')
    findings = only(tmp_path)
    assert findings.name == 'CAMUS, challenge release'
    assert findings.problems == []
    info = tmp_path / 'training' / 'patient0001' / 'Info_4CH.cfg'
    info.write_text(info.read_text().replace('LVef: 60', 'LVef: 48'))
    assert [reason for _, reason in only(tmp_path).problems] == [
        'EF 48.0 contradicts its volumes (100.0, 40.0)'
    ]


@pytest.mark.parametrize('volumes', ['LVedv: 0\nLVesv: 0\n', 'LVedv: nan\nLVesv: 3\n'])
def test_impossible_volumes_are_a_problem(nifti_root, volumes):
    cfg = next(nifti_root.glob('database_nifti/patient0001/Info_4CH.cfg'))
    cfg.write_text(f'{INFO}{volumes}EF: 55\n')
    assert ('patient0001_4CH', 'no volumes in its cfg file') in only(nifti_root).problems


def test_a_number_of_frames_with_thousands_of_digits_is_a_problem(nifti_root):
    cfg = next(nifti_root.glob('database_nifti/patient0001/Info_4CH.cfg'))
    cfg.write_text(cfg.read_text().replace('NbFrame: 10', f'NbFrame: {"9" * 5000}'))
    assert any('must lie in 1 to' in problem.reason for problem in only(nifti_root).problems)
