"""The tool as a user calls it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pydicom.examples
import pytest

TOOL = Path(__file__).parents[2] / 'tools' / 'check_data.py'


@pytest.fixture
def check(monkeypatch, capfd):
    """Run the tool's ``main`` and give its exit status and what it printed."""
    monkeypatch.syspath_prepend(str(TOOL.parent))
    import check_data

    def run(root: Path, *flags: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, 'argv', [str(TOOL), str(root), '--jobs', '1', *flags])
        with pytest.raises(SystemExit) as ended:
            check_data.main()
        return ended.value.code, ''.join(capfd.readouterr())

    return run


def test_a_bad_recording_is_listed_and_does_not_stop_training(check, echonet_root, tmp_path):
    root = Path(shutil.copytree(echonet_root, tmp_path / 'EchoNet-Dynamic'))
    videos = sorted((root / 'Videos').iterdir())
    videos[0].write_bytes(videos[1].read_bytes()[:60000])
    videos[2].write_text('no video')
    status, output = check(root, '--full')
    assert status == 0
    assert f'{videos[0]}: 80 frames are stated, ' in output
    assert f'{videos[2]}: not a video: the file holds text' in output
    assert '7 of 8 files can be read' in output
    assert 'training can start, 2 problems' in output


def test_a_bad_recording_of_the_validation_set_is_an_obstacle(check, echonet_root, tmp_path):
    root = Path(shutil.copytree(echonet_root, tmp_path / 'EchoNet-Dynamic'))
    rows = (root / 'FileList.csv').read_text().splitlines()
    stem = next(row.split(',')[0] for row in rows if row.endswith('VAL'))
    (root / 'Videos' / f'{stem}.avi').write_text('no video')
    status, output = check(root)
    assert status == 1
    assert '1 of the validation set cannot be read' in output
    assert 'training cannot start, 1 problems' in output


def test_a_folder_in_which_nothing_can_be_used(check, tmp_path, make_video):
    (tmp_path / 'empty.avi').write_bytes(b'')
    make_video(tmp_path / 'still.avi', 1)
    shutil.copy(pydicom.examples.get_path('rgb_color'), tmp_path / 'still.dcm')
    status, output = check(tmp_path)
    assert status == 1
    assert 'empty.avi: the file is empty' in output
    assert 'still.avi: 1 frame; a clip needs at least 2' in output
    assert 'still.dcm: a still image (1 frame), not a recording' in output
    assert 'training needs at least 2 recordings' in output
    assert 'training cannot start' in output


def test_a_missing_folder_is_named_without_a_traceback(tmp_path):
    command = [sys.executable, str(TOOL), str(tmp_path / 'none')]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    expected = f'error: {tmp_path / "none"}: no such folder; expected the folder of a data set'
    assert (done.stdout, done.stderr.strip()) == ('', expected)
