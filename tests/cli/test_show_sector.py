"""The command ``show-sector``."""

import re

import cv2
import numpy as np
import pydicom
import pytest

from echocardmae_mm.apis.framing import frame_recording
from echocardmae_mm.cli import show_sector
from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.phantom import dicom_files


@pytest.fixture
def stretched(tmp_path):
    """A DICOM file of pixels higher than wide, whose ultrasound image begins in the middle."""
    (recording, *_) = dicom_files.plan(1, 1)
    dicom_files.write_recording(tmp_path, recording, 1, 'default')
    (file,) = (tmp_path / dicom_files.FOLDER).glob('*')
    header = pydicom.dcmread(file)
    (region,) = header.SequenceOfUltrasoundRegions
    region.RegionLocationMinX0 = int(header.Columns) // 2
    region.PhysicalDeltaY = 1.5 * float(region.PhysicalDeltaX)
    header.save_as(file)
    return file


def test_shows_the_image_that_prediction_measures(stretched, tmp_path, capsys, monkeypatch):
    views = []
    draw = show_sector.tokens_drawn
    monkeypatch.setattr(
        show_sector, 'tokens_drawn', lambda *args: views.append(args[:2]) or draw(*args)
    )
    show_sector.main([str(stretched), '--out', str(tmp_path / 'sector.png')])
    recording = open_recording(str(stretched))
    (left,) = re.findall(r'sector from x (\d+)', capsys.readouterr().out)
    assert int(left) >= recording.region[0] == recording.frames([0]).shape[2] // 2
    seen = frame_recording(recording, 'sector', (112, 112))
    ((frame, sector),) = views
    expected = cv2.resize(seen.sector.astype(np.float32), (112, 112)) >= 0.5
    assert (sector == expected).mean() > 0.9  # found in other frames
    assert np.abs(frame.astype(int) - seen.resized((112, 112))[0]).mean() < 10


def test_draws_the_sector_and_prints_what_it_is_like(command, make_video, tmp_path):
    video, picture = make_video(tmp_path / 'beat.avi'), tmp_path / 'sector.PNG'
    run = command('show-sector', video, '--out', picture)
    assert run.returncode == 0, run.stderr
    assert '112 x 112 pixels, 60 frames; sector from x' in run.stdout
    drawn = cv2.imread(str(picture)).astype(int)
    green = (drawn[..., 1] - drawn[..., 0] > 80) & (drawn[..., 1] - drawn[..., 2] > 80)
    assert green.sum() > 100


def test_a_name_of_no_picture_ends_with_one_line(command, make_video, tmp_path):
    video = make_video(tmp_path / 'beat.avi')
    run = command('show-sector', video, '--out', video)
    assert run.returncode == 1
    assert run.stderr == f'error: {video}: expected an image file name, such as sector.png\n'
    assert cv2.VideoCapture(str(video)).isOpened()


def test_a_file_that_is_no_recording_ends_with_one_line(command, tmp_path):
    text = tmp_path / 'text.avi'
    text.write_text('no video')
    run = command('show-sector', text, '--out', tmp_path / 'none.png')
    assert run.returncode == 1
    assert run.stderr.startswith('error: ')
    assert str(text) in run.stderr
    assert 'Traceback' not in run.stderr
    assert not (tmp_path / 'none.png').exists()
