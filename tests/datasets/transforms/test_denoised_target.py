"""Blurred targets against blurring each frame before FormatShape."""

import cv2
import numpy as np
import pytest
from scipy.ndimage import median_filter

from echocardmae_mm.datasets.transforms.denoised_target import DenoisedTarget
from echocardmae_mm.utils.errors import UserError

BLUR_FRAME = {
    'median': lambda frame, k: cv2.medianBlur(frame, k),
    'gaussian': lambda frame, k: cv2.GaussianBlur(frame, (k, k), 0),
    'mean': lambda frame, k: cv2.blur(frame, (k, k)),
    'none': lambda frame, k: frame,
}


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 256, (2, 4, 30, 36, 3), dtype=np.uint8)


@pytest.mark.parametrize('kernel_size', [3, 5])
@pytest.mark.parametrize('method', [*BLUR_FRAME])
def test_equals_blurring_each_frame(frames, method, kernel_size):
    imgs = np.ascontiguousarray(frames.transpose(0, 4, 1, 2, 3))
    before = imgs.copy()
    results = DenoisedTarget(method, kernel_size)({'imgs': imgs})
    expected = np.array(
        [[BLUR_FRAME[method](frame, kernel_size) for frame in clip] for clip in frames]
    )
    np.testing.assert_array_equal(results['target'], expected.transpose(0, 4, 1, 2, 3))
    assert results['imgs'] is imgs
    np.testing.assert_array_equal(imgs, before)
    assert not np.shares_memory(results['target'], imgs)


def test_median_is_the_median_of_nine(frames):
    imgs = np.ascontiguousarray(frames.transpose(0, 4, 1, 2, 3))
    target = DenoisedTarget()({'imgs': imgs})['target']
    np.testing.assert_array_equal(target, median_filter(imgs, (1, 1, 1, 3, 3), mode='nearest'))


def test_clips_that_are_not_contiguous(frames):
    strided = frames.transpose(0, 4, 1, 2, 3)
    whole = DenoisedTarget()({'imgs': np.ascontiguousarray(strided)})['target']
    np.testing.assert_array_equal(DenoisedTarget()({'imgs': strided})['target'], whole)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'method': 'bilateral'}, 'bilateral'),
        ({'kernel_size': 4}, 'odd'),
        ({'kernel_size': 0}, '0'),
        ({'method': 'gaussian', 'kernel_size': 9}, 'too large'),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        DenoisedTarget(**options)


def test_frames_before_format_shape_are_refused(frames):
    with pytest.raises(UserError, match='FormatShape'):
        DenoisedTarget()({'imgs': list(frames[0])})


def test_repr():
    assert repr(DenoisedTarget('mean', 5)) == "DenoisedTarget(method='mean', kernel_size=5)"
