"""Clicks into true masks."""

import numpy as np
import pytest

from echocardmae_mm.datasets.transforms import ClickInMask
from echocardmae_mm.utils.counter_rng import EpochIndex
from echocardmae_mm.utils.errors import UserError


def clicked(labels, num_classes=3, img_shape=None, index=0, epoch=0, **options):
    results = {
        'gt_seg_map': labels, 'num_classes': num_classes, 'filename': 'a.avi',
        'img_shape': img_shape or labels.shape[-2:], 'sample_idx': EpochIndex(index, epoch, 0),
    }  # fmt: skip
    return ClickInMask(**options)(results)


@pytest.fixture
def labels():
    labels = np.zeros((20, 30), np.uint8)
    labels[2:9, 3:20] = 1
    labels[12:14, 5] = 2
    return labels


@pytest.mark.parametrize('position', ['random', 'middle'])
def test_a_click_lies_in_each_structure(labels, position):
    for index in range(20):
        done = clicked(labels, index=index, position=position)
        x, y = done['clicks'].astype(int).T
        assert labels[y, x].tolist() == [1, 2]
        assert done['click_labels'].tolist() == [1, 1]
        assert done['clicks'].dtype == np.float32


def test_random_clicks_differ_by_sample_and_epoch_and_repeat(labels):
    positions = {
        (index, epoch): clicked(labels, index=index, epoch=epoch)['clicks'].tobytes()
        for index in range(6)
        for epoch in range(2)
    }
    assert len(set(positions.values())) > 8
    assert clicked(labels, index=3, epoch=1)['clicks'].tobytes() == positions[3, 1]


def test_the_middle_click_is_the_middle_of_the_pixels_row_by_row(labels):
    y, x = np.argwhere(labels == 1)[7 * 17 // 2]
    assert clicked(labels, position='middle')['clicks'][0].tolist() == [x, y]


def test_a_click_beside_an_absent_structure_says_so(labels):
    labels[labels == 2] = 0
    done = clicked(labels)
    x, y = done['clicks'][1].astype(int)
    assert labels[y, x] != 2
    assert done['click_labels'].tolist() == [1, 0]


def test_clicks_are_scaled_to_the_frame(labels):
    small = clicked(labels, position='middle')['clicks']
    large = clicked(labels, position='middle', img_shape=(40, 90))['clicks']
    np.testing.assert_allclose(large, (small + 0.5) * [3, 2] - 0.5)


def test_the_click_of_a_clip_lies_in_its_first_frame(labels):
    clip = np.stack([labels, np.full_like(labels, 255)])
    np.testing.assert_array_equal(clicked(clip)['clicks'], clicked(labels)['clicks'])


def test_frames_without_labels_are_refused(labels):
    with pytest.raises(UserError, match=r'a\.avi has no labels to click on'):
        clicked(np.full_like(labels, 255))
    with pytest.raises(UserError, match='has no labels'):
        ClickInMask()({'filename': 'a.avi'})
    with pytest.raises(UserError, match="position='left' is unknown"):
        ClickInMask(position='left')
