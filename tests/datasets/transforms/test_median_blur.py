import cv2
import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from echocardmae_mm.datasets.transforms.median_blur import median_blur_3x3

FRAMES = nps.arrays(
    np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.integers(1, 3))
)


@given(FRAMES)
def test_equals_opencv_bit_by_bit(frames):
    expected = np.stack([cv2.medianBlur(frame, 3).reshape(frame.shape) for frame in frames])
    np.testing.assert_array_equal(median_blur_3x3(torch.from_numpy(frames)), expected)


def test_frames_of_clips_are_blurred_one_by_one():
    clips = torch.randint(0, 256, (2, 3, 8, 7, 3), dtype=torch.uint8)
    blurred = median_blur_3x3(clips)
    for clip, done in zip(clips, blurred):
        for frame, expected in zip(clip, done):
            assert torch.equal(median_blur_3x3(frame), expected)
