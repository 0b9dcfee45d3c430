"""The template and the grid of tokens against the released table."""

import cv2
import numpy as np
import pytest

from echocardmae_mm.sector.geometry import template_sector, token_sector
from echocardmae_mm.utils.errors import UserError

RELEASED_ROWS = [3, 5, 7, 9, 11, 12, 13, 14, 14, 14, 14, 14, 14, 14]


def test_template_is_echonets_inequality_pixel_by_pixel():
    mask = template_sector(112, 112)
    for y in range(112):
        for x in range(112):
            assert mask[y, x] == ((x + y) > 67 and (x - y) < 67)


def test_patch_8_gives_the_released_table():
    grid = token_sector(template_sector(112, 112), 8)
    assert grid.shape == (14, 14)
    assert grid.sum(axis=1).tolist() == RELEASED_ROWS
    assert grid.sum() == 158
    assert grid[0].nonzero()[0].tolist() == [7, 8, 9]


def test_patch_16_gives_42_tokens():
    assert token_sector(template_sector(112, 112), 16).sum() == 42


@pytest.mark.parametrize('shape', [(224, 224), (56, 56), (240, 320), (768, 1024)])
def test_other_sizes_are_the_template_resized(shape):
    mask = template_sector(*shape)
    resized = cv2.resize(
        template_sector(112, 112).astype(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST
    )
    assert (mask == resized).mean() > 0.985


def test_a_token_is_in_the_sector_if_any_pixel_is():
    mask = np.zeros((16, 24), bool)
    mask[7, 8] = True
    grid = token_sector(mask, 8)
    assert grid.tolist() == [[False, True, False], [False, False, False]]


def test_a_patch_size_that_does_not_divide_the_frame_raises():
    with pytest.raises(UserError, match='112 x 100 pixels cannot be divided into patches of 16'):
        token_sector(np.ones((112, 100), bool), 16)
