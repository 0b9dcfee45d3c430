"""Frames of the right size are left alone; a size that cannot be is refused."""

import numpy as np
import pytest

from echocardmae_mm.datasets.transforms.resize_frames import ResizeFrames
from echocardmae_mm.utils.errors import UserError


@pytest.mark.parametrize('scale', [(0, 0), (56, 0), (-1, 0), (-3, 56)])
def test_a_size_that_is_not_positive_is_refused(scale):
    with pytest.raises(UserError, match='must be positive'):
        ResizeFrames(scale=scale, keep_ratio=False)


def test_minus_one_still_leaves_a_side_open():
    frames = [np.zeros((40, 80, 3), np.uint8)]
    sample = {'imgs': frames, 'img_shape': (40, 80), 'modality': 'RGB'}
    assert ResizeFrames(scale=(-1, 20))(sample)['img_shape'] == (20, 40)
