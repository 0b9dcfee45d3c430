import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from echocardmae_mm.datasets.transforms.blur import gaussian_blur, mean_blur, median_blur

OPENCV = {
    median_blur: lambda frame, k: cv2.medianBlur(frame, k),
    mean_blur: lambda frame, k: cv2.blur(frame, (k, k)),
    gaussian_blur: lambda frame, k: cv2.GaussianBlur(frame, (k, k), 0),
}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    height=st.integers(4, 20),
    width=st.integers(4, 20),
    kernel_size=st.sampled_from([1, 3, 5, 7]),
    seed=st.integers(0, 2**16),
)
@pytest.mark.parametrize('blur', OPENCV)
def test_pixels_match_opencv(blur, height, width, kernel_size, seed):
    frames = np.random.default_rng(seed).integers(0, 256, (2, 3, height, width), dtype=np.uint8)
    blurred = blur(torch.from_numpy(frames), kernel_size).numpy()
    for clip in range(2):
        for channel in range(3):
            expected = OPENCV[blur](frames[clip, channel], kernel_size)
            np.testing.assert_array_equal(blurred[clip, channel], expected)


@pytest.mark.parametrize('blur', OPENCV)
def test_the_layout_in_memory_does_not_matter(blur):
    frames = torch.randint(0, 256, (2, 9, 8, 3), dtype=torch.uint8)
    strided = frames.movedim(-1, 1)
    assert torch.equal(blur(strided, 3), blur(strided.contiguous(), 3))
