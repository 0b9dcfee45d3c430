"""Shifts of frames and labels."""

import numpy as np
import pytest
from scipy.stats import chisquare

from echocardmae_mm.datasets.transforms import RandomShift
from echocardmae_mm.utils.counter_rng import EpochIndex
from echocardmae_mm.utils.errors import UserError


def shifted(index, clip=False, pixels=3):
    image = np.arange(20 * 16, dtype=np.int64).reshape(20, 16, 1).repeat(3, 2).astype(np.uint16)
    labels = np.arange(1, 20 * 16 + 1, dtype=np.int64).reshape(20, 16).astype(np.uint16)
    results = {'sample_idx': EpochIndex(index, 0, 0)}
    if clip:
        results.update(imgs=[image, image + 1], gt_seg_map=np.stack([labels, labels]))
    else:
        results.update(img=image, gt_seg_map=labels)
    return RandomShift(pixels, fill=9)(results)


def where(labels):
    """Shift (down, right) found from a label that is still there."""
    y, x = np.argwhere(labels == 10 * 16 + 8 + 1)[0]
    return int(y) - 10, int(x) - 8


def test_frames_and_labels_shift_together_and_are_padded_with_background():
    for index in range(30):
        done = shifted(index)
        down, right = where(done['gt_seg_map'])
        expected = np.full((20, 16), 9)
        labels = np.zeros((20, 16))
        for y in range(20):
            for x in range(16):
                if 0 <= y - down < 20 and 0 <= x - right < 16:
                    expected[y, x] = (y - down) * 16 + x - right
                    labels[y, x] = expected[y, x] + 1
        np.testing.assert_array_equal(done['img'][..., 1], expected)
        np.testing.assert_array_equal(done['gt_seg_map'], labels)


def test_all_frames_of_a_clip_shift_equally():
    done = shifted(3, clip=True)
    assert where(done['gt_seg_map'][0]) == where(done['gt_seg_map'][1])
    inside = done['imgs'][0][..., 0] != 9
    np.testing.assert_array_equal(done['imgs'][1][inside], done['imgs'][0][inside] + 1)


def test_an_unlabelled_frame_stays_unlabelled():
    labels = np.zeros((3, 20, 16), np.uint8)
    labels[[0, 2]] = 255
    for index in range(20):
        results = {
            'sample_idx': EpochIndex(index, 0, 0), 'gt_seg_map': labels,
            'imgs': [np.zeros((20, 16, 3), np.uint8)] * 3,
        }  # fmt: skip
        np.testing.assert_array_equal(RandomShift(5)(results)['gt_seg_map'], labels)


def test_a_negative_shift_is_refused():
    with pytest.raises(UserError, match='pixels=-3 must be at least 0'):
        RandomShift(-3)


def test_shifts_are_uniform():
    counts = np.zeros((7, 7))
    for index in range(49 * 30):
        down, right = where(shifted(index)['gt_seg_map'])
        counts[down + 3, right + 3] += 1
    assert chisquare(counts.ravel()).pvalue > 1e-3


def test_each_clip_shifts_by_itself():
    image = np.arange(20 * 16, dtype=np.uint16).reshape(20, 16, 1).repeat(3, 2)
    different = 0
    for index in range(20):
        one = RandomShift(3, fill=9)({'sample_idx': EpochIndex(index, 0, 0), 'imgs': [image] * 2})
        two = RandomShift(3, fill=9)(
            {'sample_idx': EpochIndex(index, 0, 0), 'imgs': [image] * 4, 'num_clips': 2}
        )['imgs']
        for frame in two[:2]:
            np.testing.assert_array_equal(frame, one['imgs'][0])
        np.testing.assert_array_equal(two[2], two[3])
        different += not np.array_equal(two[0], two[2])
    assert different >= 18  # 1 in 49 shifts equals another
