"""One frame of a recording, in MMSegmentation's grammar."""

import cv2
import numpy as np
import pytest

from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.datasets.transforms import LoadEchoFrame
from echocardmae_mm.utils.errors import RecordingError


def test_the_frame_equals_that_of_the_recording(make_video, tmp_path):
    path = make_video(tmp_path / 'a.avi', num_frames=9)
    done = LoadEchoFrame()({'filename': str(path), 'frame': 5})
    np.testing.assert_array_equal(done['img'], open_recording(path).frames([5])[0])
    assert done['ori_shape'] == done['img_shape'] == (112, 112)
    assert 'recording' not in done


def test_img_path_alone_is_enough_and_means_the_first_frame(make_video, tmp_path):
    path = make_video(tmp_path / 'a.avi', num_frames=3)
    done = LoadEchoFrame()({'img_path': str(path)})
    np.testing.assert_array_equal(done['img'], open_recording(path).frames([0])[0])


def test_a_frame_beyond_the_end_is_named(make_video, tmp_path):
    path = make_video(tmp_path / 'a.avi', num_frames=3)
    with pytest.raises(RecordingError, match='frame 3 is labelled, but the recording has 3 frames'):
        LoadEchoFrame()({'filename': str(path), 'frame': 3})


def test_an_invalid_file_is_named_in_the_error(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(RecordingError, match=r'a\.png'):
        LoadEchoFrame()({'img_path': str(tmp_path / 'a.png')})
