"""Doubtful sectors: planted text, screens without black, and images that the sector misses."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from echocardmae_mm.phantom import SCREENS, VARIANTS, make_phantom
from echocardmae_mm.sector.detection import detect_sector
from echocardmae_mm.sector.doubts import sector_doubt

SEED = 8100


def write_inside(frames: np.ndarray, sector: np.ndarray, text: str, height: int) -> np.ndarray:
    """Frames with a caption in the middle of the sector."""
    captioned = frames.copy()
    scale = height / 21
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    rows, columns = np.nonzero(sector)
    corner = round(columns.mean()) - width // 2, round(rows.mean())
    for frame in captioned:
        cv2.putText(
            frame, text, corner, cv2.FONT_HERSHEY_SIMPLEX, scale, (230,) * 3, 1, cv2.LINE_AA
        )
    return captioned


@pytest.fixture(scope='module')
def phantom():
    return make_phantom(SEED, screen='portable', num_frames=30)


@pytest.mark.parametrize('variant', sorted(VARIANTS))
def test_good_recordings_raise_no_doubt_before_a_name_is_written(variant):
    screens = [name for name in SCREENS if name not in ('vendor', 'camus')]
    for seed, screen in enumerate(screens, SEED):
        phantom = make_phantom(seed, variant, screen=screen, num_frames=30)
        assert sector_doubt(phantom.frames, detect_sector(phantom.frames)) is None, screen
        frames = write_inside(phantom.frames, phantom.sector_mask, 'Doe^Jane', 10)
        assert sector_doubt(frames, detect_sector(frames)).startswith('text inside'), screen


@pytest.mark.parametrize('text', ['Doe^Jane', '4711-0815'])
@pytest.mark.parametrize('height', [9, 14])
def test_text_inside_the_sector(phantom, text, height):
    frames = write_inside(phantom.frames, phantom.sector_mask, text, height)
    assert sector_doubt(frames, detect_sector(frames)).startswith('text inside the sector')


def test_a_cine_that_fills_the_frame(phantom):
    rows = np.flatnonzero(phantom.sector_mask.any(axis=1))
    frames = phantom.frames[:, rows[0] + 60 : rows[-1] - 30, 120:200]
    sector = np.ones(frames.shape[1:3], bool)
    assert sector_doubt(frames, sector) == 'sector covers nearly the whole frame: 100 %'


def test_a_sector_that_is_a_small_part_of_the_frame(phantom):
    sector = np.zeros_like(phantom.sector_mask)
    sector[100:140, 130:180] = True
    assert sector_doubt(phantom.frames, sector) == 'sector too small: 3 % of the frame'


def test_a_second_image_beside_the_sector(phantom):
    frames = np.concatenate([phantom.frames, phantom.frames], axis=2)
    sector = np.zeros(frames.shape[1:3], bool)
    sector[:, :320] = phantom.sector_mask
    assert sector_doubt(frames, sector).startswith('moving image outside the sector: ')
