"""Frames read into arrays, resized where they are of another size."""

import cv2
import numpy as np
import pytest
from mmaction.datasets.transforms import Resize

from echocardmae_mm.datasets.recordings import PackedStore
from echocardmae_mm.datasets.sized_frames import SizedFrames
from echocardmae_mm.utils.errors import UserError


@pytest.mark.parametrize('indices', [[3], [0, 4, 8], [5, 4, 3], [2, 2, 2], [1, 6, -1], [0, 1, 5]])
@pytest.mark.parametrize('name', ['1.avi', 'large.avi'])
def test_any_frames_in_any_order(small_store, name, indices):
    store = PackedStore(small_store)
    resize = Resize(scale=(32, 32), keep_ratio=False)
    frames = SizedFrames(store, ['1.avi', 'large.avi', 'broken.avi'], resize)
    assert frames.names == ['1.avi', 'large.avi']
    into = np.full((len(indices), *frames.frame), 7, np.uint8)
    frames.read(name, np.array(indices), into)
    whole = store.open(name, name).frames(range(frames.num_frames(name)))
    for index, frame in zip(indices, into):
        expected = cv2.resize(whole[index], (32, 32)) if index >= 0 else np.zeros_like(frame)
        np.testing.assert_array_equal(frame, expected)


def test_what_cannot_be_read_is_said(small_store):
    store = PackedStore(small_store)
    with pytest.raises(UserError, match='none of the recordings could be packed'):
        SizedFrames(store, ['broken.avi'])
    with pytest.raises(UserError, match=r'does not hold nowhere\.avi'):
        SizedFrames(store, ['nowhere.avi'])
