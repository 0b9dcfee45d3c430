"""The command ``check``."""

from __future__ import annotations

import shutil
from pathlib import Path

import nibabel
import numpy as np
import pydicom.examples
import pytest

from echocardmae_mm.cli.check import main


@pytest.fixture
def check(capfd):
    """Run the command; returns its exit status and output."""

    def run(root: Path, *flags: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(root), '--jobs', '1', *flags])
        return ended.value.code, ''.join(capfd.readouterr())

    return run


def test_a_bad_recording_is_listed_and_does_not_stop_training(check, echonet_root, tmp_path):
    root = Path(shutil.copytree(echonet_root, tmp_path / 'EchoNet-Dynamic'))
    videos = sorted((root / 'Videos').iterdir())
    videos[0].write_bytes(videos[1].read_bytes()[:60000])
    videos[2].write_text('no video')
    status, output = check(root, '--full')
    assert status == 0
    assert f'{videos[0]}: 80 frames expected, ' in output
    assert f'{videos[2]}: not a video: the file contains text' in output
    assert '7 of 8 files can be read' in output
    assert 'training can start, 2 problems' in output


def test_an_unknown_label_is_an_obstacle(check, camus_root, tmp_path):
    root = Path(shutil.copytree(camus_root, tmp_path / 'CAMUS'))
    labels = root / 'database_nifti' / 'patient0002' / 'patient0002_4CH_ES_gt.nii.gz'
    nibabel.save(nibabel.Nifti1Image(np.full((40, 60), 7, np.uint8), np.eye(4)), labels)
    status, output = check(root)
    assert status == 1
    assert f'{labels}: label 7 is unknown: expected 0 to 3' in output
    assert 'segmentation: 1 label images cannot be used' in output
    assert 'training cannot start' in output


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


def test_a_missing_folder_is_named_without_a_traceback(command, tmp_path):
    done = command('check', tmp_path / 'none')
    assert done.returncode == 1
    expected = f'error: {tmp_path / "none"}: no such folder; expected the folder of a data set'
    assert (done.stdout, done.stderr.strip()) == ('', expected)


def test_a_store_is_verified(check, echonet_store, tmp_path):
    store = Path(shutil.copytree(echonet_store, tmp_path / 'store'))
    status, output = check(store)
    assert status == 0
    assert '8 of 10 files can be read' in output  # the lists were packed, too
    assert f'a store of recordings in {store}: training can start, 2 problems' in output
    with (store / 'frames.bin').open('r+b') as file:
        file.write(b'rot')
    status, output = check(store)
    assert status == 1
    assert 'its pixels in the store are damaged' in output
    assert '1 recordings of the store are damaged: remove it' in output
    (store / 'index.json').write_text('{')
    assert 'index.json: damaged' in check(store)[1]
