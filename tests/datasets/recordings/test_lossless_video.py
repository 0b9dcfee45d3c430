"""Videos without loss."""

from __future__ import annotations

import numpy as np
import pytest

from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.datasets.recordings.lossless_video import pad_to_even, write_lossless_avi
from echocardmae_mm.utils.errors import UserError


@pytest.mark.parametrize('size', [(112, 112), (97, 131), (98, 131)])
def test_every_pixel_and_the_frame_rate_return(tmp_path, size):
    frames = np.random.default_rng(0).integers(0, 256, (7, *size, 3), np.uint8)
    write_lossless_avi(tmp_path / 'a.avi', pad_to_even(frames), 47.3)
    recording = open_recording(tmp_path / 'a.avi')
    assert recording.fps == pytest.approx(47.3, rel=1e-4)
    written = recording.frames(range(7))
    np.testing.assert_array_equal(written[:, : size[0], : size[1]], frames)
    assert written.shape == (7, size[0] + size[0] % 2, size[1] + size[1] % 2, 3)
    assert written.sum() == frames.sum()


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(UserError, match='cannot write this video'):
        write_lossless_avi(tmp_path / 'no' / 'a.avi', np.zeros((2, 8, 8, 3), np.uint8), 50)
