"""The command ``show-phantoms``."""

import cv2


def test_a_name_of_no_picture_costs_a_line(command, tmp_path):
    done = command('show-phantoms', tmp_path / 'x')
    assert done.returncode == 1
    assert (
        done.stderr == f'error: {tmp_path}/x: expected an image file name, such as phantoms.png\n'
    )


def test_contact_sheet_holds_real_frames_phantoms_and_a_beat(command, tmp_path):
    picture = tmp_path / 'sheets' / 'phantoms.png'
    assert command('show-phantoms', picture).returncode == 0
    sheet = cv2.imread(str(picture))
    assert sheet.shape == (5 * 224, 6 * 224, 3)
    tiles = sheet.reshape(5, 224, 6, 224, 3).swapaxes(1, 2)
    assert (tiles.max(axis=(2, 3, 4)) > 100).all()
    colourful = (tiles.max(axis=-1).astype(int) - tiles.min(axis=-1)).max(axis=(2, 3)) > 100
    assert colourful[4].all()
    assert not colourful[1:4].any()
