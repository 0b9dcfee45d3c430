import subprocess
import sys
from pathlib import Path

import cv2

TOOL = Path(__file__).parents[2] / 'tools' / 'show_sector.py'


def show(*args: object) -> subprocess.CompletedProcess:
    command = [sys.executable, TOOL, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_draws_the_sector_and_prints_what_it_is_like(make_video, tmp_path):
    video, picture = make_video(tmp_path / 'beat.avi'), tmp_path / 'sector.PNG'
    run = show(video, '--out', picture)
    assert run.returncode == 0, run.stderr
    assert '112 x 112 pixels, 60 frames; sector from x' in run.stdout
    drawn = cv2.imread(str(picture)).astype(int)
    green = (drawn[..., 1] - drawn[..., 0] > 80) & (drawn[..., 1] - drawn[..., 2] > 80)
    assert green.sum() > 100


def test_a_name_of_no_picture_ends_with_one_line(make_video, tmp_path):
    video = make_video(tmp_path / 'beat.avi')
    run = show(video, '--out', video)
    assert run.returncode == 1
    assert run.stderr == f'error: {video}: expected the name of a picture, such as sector.png\n'
    assert cv2.VideoCapture(str(video)).isOpened()


def test_a_file_that_is_no_recording_ends_with_one_line(tmp_path):
    text = tmp_path / 'text.avi'
    text.write_text('no video')
    run = show(text, '--out', tmp_path / 'none.png')
    assert run.returncode == 1
    assert run.stderr.startswith('error: ')
    assert str(text) in run.stderr
    assert 'Traceback' not in run.stderr
    assert not (tmp_path / 'none.png').exists()
