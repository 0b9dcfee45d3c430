import numpy as np
import pytest

from echocardmae_mm.datasets.transforms import FindSector, SectorMask
from echocardmae_mm.phantom import make_phantom
from echocardmae_mm.sector.geometry import token_sector
from echocardmae_mm.utils.errors import RecordingError, UserError


@pytest.fixture(scope='module')
def phantom():
    return make_phantom(21, screen='whole', num_frames=64)


def test_the_sector_of_a_recording_is_found_and_masked(phantom):
    results = FindSector()({'imgs': list(phantom.frames[::2]), 'filename': 'b.avi'})
    imgs = np.stack(results['imgs']).reshape(2, 16, 112, 112, 3).transpose(0, 4, 1, 2, 3)
    results = SectorMask(patch_size=8, sector='auto')({**results, 'imgs': imgs, 'sample_idx': 0})
    grid = results['sector'].reshape(2, 8, 14, 14)
    assert (grid == grid[0, 0]).all()
    assert (grid[0, 0] != token_sector(phantom.sector_mask, 8)).sum() <= 12


def test_an_existing_mask_is_kept(phantom):
    mask = np.ones((112, 112), bool)
    assert FindSector()({'imgs': [], 'sector_mask': mask})['sector_mask'] is mask


def test_a_recording_without_a_sector_or_with_a_small_one_is_refused(phantom):
    with pytest.raises(RecordingError, match=r'b\.avi: 0 of 16 frames are not black'):
        FindSector()({'imgs': [np.zeros((112, 112, 3), np.uint8)] * 16, 'filename': 'b.avi'})
    frames = list(phantom.frames[::2])
    with pytest.raises(RecordingError, match=r'b\.avi: its sector covers \d\d % .* than 95 %'):
        FindSector(min_area=0.95)({'imgs': frames, 'filename': 'b.avi'})


def test_wrong_use_is_refused(phantom):
    with pytest.raises(UserError, match='min_area=1'):
        FindSector(min_area=1)
    with pytest.raises(UserError, match='before FormatShape'):
        FindSector()({'imgs': np.zeros((2, 3, 16, 112, 112), np.uint8)})
