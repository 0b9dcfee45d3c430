import os
import subprocess
import sys
from pathlib import Path

import cv2

ROOT = Path(__file__).resolve().parents[2]


def test_a_name_of_no_picture_costs_a_line(tmp_path):
    tool = ROOT / 'tools' / 'show_phantoms.py'
    done = subprocess.run([sys.executable, tool, tmp_path / 'x'], capture_output=True, text=True)
    assert done.returncode == 1
    assert (
        done.stderr
        == f'error: {tmp_path}/x: expected the name of a picture, such as phantoms.png\n'
    )


def test_contact_sheet_holds_real_frames_phantoms_and_a_beat(tmp_path):
    picture = tmp_path / 'sheets' / 'phantoms.png'
    path = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    subprocess.run(
        [sys.executable, ROOT / 'tools' / 'show_phantoms.py', picture],
        env={**os.environ, 'PYTHONPATH': path},
        check=True,
    )
    sheet = cv2.imread(str(picture))
    assert sheet.shape == (5 * 224, 6 * 224, 3)
    tiles = sheet.reshape(5, 224, 6, 224, 3).swapaxes(1, 2)
    assert (tiles.max(axis=(2, 3, 4)) > 100).all()
    colourful = (tiles.max(axis=-1).astype(int) - tiles.min(axis=-1)).max(axis=(2, 3)) > 100
    assert colourful[4].all()
    assert not colourful[1:4].any()
