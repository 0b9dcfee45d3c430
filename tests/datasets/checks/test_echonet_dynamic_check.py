"""The check of EchoNet-Dynamic's lists."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from skimage.draw import polygon2mask

from echocardmae_mm.datasets.checks import Findings, recognise
from echocardmae_mm.datasets.echonet_lists import read_tracings
from echocardmae_mm.datasets.tracing import traced_area
from tests.helpers.csv_files import edit_rows


def only(root: Path) -> Findings:
    (findings,) = recognise(root)
    return findings


@pytest.fixture
def root(echonet_root, tmp_path) -> Path:
    return Path(shutil.copytree(echonet_root, tmp_path / 'EchoNet-Dynamic'))


def test_a_clean_folder(root):
    for folder in (root, root.parent):
        findings = only(folder)
        assert findings.name == 'EchoNet-Dynamic'
        assert findings.problems == findings.obstacles == []
        assert set(findings.recordings.values()) == {80}
        assert findings.notes[:4] == [
            '8 rows in FileList.csv; the published set has 10,030',
            '5 rows of split train; the published set has 7,465',
            '1 rows of split val; the published set has 1,288',
            '2 rows of split test; the published set has 1,277',
        ]
        assert '8 traced; 0 list the larger area (end-diastole) first' in findings.notes


def test_problems_of_the_lists(root):
    def anomalous_list(rows):
        rows[0]['EF'] = ''
        rows[1]['EF'] = '12'
        rows[2]['FileName'] = '0XELSEWHERE'
        rows[3]['NumberOfFrames'] = '15'
        return [*rows, rows[4]]

    def anomalous_tracings(rows):
        traced = [row for row in rows if not row['FileName'].startswith('0X0000000000000005')]
        extra = [row for row in rows if row['FileName'].startswith('0X0000000000000006')][:1]
        same = [row for row in traced if row['FileName'].startswith('0X0000000000000007')]
        for small, large in zip(same[:21], same[21:]):
            small.update({**large, 'Frame': small['Frame']})
        return traced + extra

    edit_rows(root / 'FileList.csv', anomalous_list)
    edit_rows(root / 'VolumeTracings.csv', anomalous_tracings)
    findings = only(root)
    reasons = {where[-1]: reason for where, reason in findings.problems}
    assert reasons['0'] == "no EF in the list: ''"
    assert reasons['1'] == 'EF 12.0 contradicts its volumes, which give 58.4'
    assert reasons['3'] == 'traced frames [20] exceed its 15 frames'
    assert reasons['4'] == 'listed again in FileList.csv; only the first row is used'
    assert reasons['5'] == '0 traced frames, not 2'
    assert reasons['6'] == 'a tracing has 22 rows, not 21'
    assert reasons['7'] == 'both traced areas are equal: end-diastole is ambiguous'
    assert ('0XELSEWHERE', 'listed, but not on disk') in findings.problems
    assert '1 videos on disk are not listed' in findings.notes
    (obstacle,) = findings.obstacles
    assert obstacle.startswith(
        f'ejection fraction: {root / "FileList.csv"}: 1 of 8 rows have no EF'
    )


def test_tracings_of_one_frame_stop_segmentation(root):
    edit_rows(root / 'VolumeTracings.csv', lambda rows: [{**row, 'Frame': '3'} for row in rows])
    (obstacle,) = only(root).obstacles
    expected = f'segmentation: {root / "VolumeTracings.csv"}: no recording has two traced frames'
    assert obstacle == expected


def test_a_missing_column_stops_training(root):
    text = (root / 'FileList.csv').read_text().replace(',EF,', ',Ejection,')
    (root / 'FileList.csv').write_text(text)
    assert 'missing column EF; found FileName, Ejection' in only(root).obstacles[0]


def test_a_list_without_training_rows_stops_training(root):
    edit_rows(root / 'FileList.csv', lambda rows: [{**row, 'Split': '3'} for row in rows])
    findings = only(root)
    assert 'no rows of split train' in findings.obstacles[0]
    assert "unknown splits: {'3': 8}" in findings.notes


def test_the_area_is_that_of_the_drawn_ventricle(echonet_root):
    tracing = read_tracings(echonet_root / 'VolumeTracings.csv')['0X0000000000000000'][3]
    left, right = tracing[1:, :2], tracing[1:, 2:]
    outline = np.concatenate([left, right[::-1]])[:, ::-1]
    drawn = polygon2mask((1120, 1120), outline * 10).sum() / 100
    assert traced_area(tracing) == pytest.approx(drawn, rel=0.01)
