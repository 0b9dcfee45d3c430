"""The command ``show-sector``."""

import cv2


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
