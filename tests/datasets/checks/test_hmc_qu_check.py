"""HMC-QU in both layouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from echocardmae_mm.datasets.checks import Findings, recognise
from tests.helpers.hmc_qu import HEADER, write_workbook

ROWS = [['ES0001 _4CH_1', *'122112', 3, 24, 'ü'], ['ES000153 n_4CH_3', *'111111', 1, 20, None]]


@pytest.fixture(params=['new', 'old'])
def root(request, tmp_path, make_video) -> Path:
    new = request.param == 'new'
    folder = tmp_path / ('HMC-QU/A4C' if new else 'HMC-QU Echos/HMC-QU Echos')
    for row in ROWS:
        make_video(folder / f'{row[0]}.avi', 26)
    masks = tmp_path / 'LV Ground-truth Segmentation Masks'
    masks.mkdir()
    (masks / 'Mask_ES0001 _4CH_1.mat').write_bytes(b'x')
    write_workbook(tmp_path / ('A4C.xlsx' if new else 'HMC_QU.xlsx'), ROWS)
    return tmp_path


def only(root: Path) -> Findings:
    (findings,) = recognise(root)
    return findings


def workbook(root: Path) -> Path:
    return next(root.glob('*.xlsx'))


def test_a_clean_folder(root):
    findings = only(root)
    assert findings.name == 'HMC-QU'
    assert findings.problems == findings.obstacles == []
    assert len(findings.recordings) == 2
    assert f'2 rows in {workbook(root).name}; the published set has 162' in findings.notes
    assert any(note.startswith('1 traced rows') for note in findings.notes)
    assert any(note.startswith('1 masks of the ventricle') for note in findings.notes)


def test_problems(root):
    rows = [
        [*ROWS[0][:7], 24, 3, 'ü'],
        ['ES000153 n_4CH_3', None, *'11111', 1, 20, None],
        ['ES0099_4CH_1', *'111111', 1, 20, None],
    ]
    write_workbook(workbook(root), rows)
    reasons = dict(only(root).problems)
    assert reasons['ES0001 _4CH_1'] == 'frames 24 to 3 are not a valid cycle'
    assert reasons['ES000153 n_4CH_3'] == 'a segment is empty, so its label is unknown'
    assert 'not on disk' in reasons['ES0099_4CH_1']


def test_a_workbook_that_cannot_be_read_stops_training(root):
    workbook(root).write_bytes(b'words')
    assert 'not a workbook' in only(root).obstacles[0]


def test_a_workbook_without_cycles_stops_training(root):
    write_workbook(workbook(root), ROWS, [['ECHO'], HEADER[1]])
    assert 'expected the cardiac cycle' in only(root).obstacles[0]


def test_an_unknown_segment_code_stops_training(root):
    write_workbook(workbook(root), [['ES0001 _4CH_1', *'122113', 3, 24, 'ü']])
    assert "cell G3 is '3'; expected a segment" in only(root).obstacles[0]


def test_formulas_without_values_stop_training(root):
    write_workbook(workbook(root), [[*ROWS[0][:3], '=B3', *ROWS[0][4:]]])
    (obstacle,) = only(root).obstacles
    assert 'cell D3 holds a formula without its value\nOpen the workbook' in obstacle


def test_a_workbook_without_its_recordings_stops_training(root):
    write_workbook(workbook(root), [['ES0099_4CH_1', *'122112', 1, 20, None]])
    (obstacle,) = only(root).obstacles
    assert obstacle.startswith(f'infarction: {root}: none of 1 recordings in')
