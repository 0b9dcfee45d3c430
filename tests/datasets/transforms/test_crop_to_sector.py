"""A vendor's screen to the encoder's view, against the phantoms' truth."""

import numpy as np
import pytest
from mmaction.datasets.transforms import FormatShape

from echocardmae_mm.datasets.transforms.crop_to_sector import Box, CropToSector
from echocardmae_mm.datasets.transforms.sector_mask import SectorMask
from echocardmae_mm.phantom import make_phantom
from echocardmae_mm.sector.geometry import template_sector
from echocardmae_mm.utils.errors import RecordingError, UserError


def overlap(mask, truth):
    return (mask & truth).sum() / (mask | truth).sum()


@pytest.fixture(scope='module')
def vendor():
    return make_phantom(13, screen='vendor', num_frames=16)


@pytest.fixture(scope='module')
def camus():
    """Pixels twice as high as wide or the other way round: never square."""
    return make_phantom(12, screen='camus', num_frames=16)


def sample(phantom, **extra):
    frames = [frame.copy() for frame in phantom.frames]
    return {'imgs': frames, 'filename': 'a.avi', 'spacing': phantom.spacing, **extra}


def seen_from(phantom, size):
    """Truth resampled pixel by pixel: the sector's bounding square in mm, size x size."""
    rows, columns = (np.flatnonzero(phantom.sector_mask.any(axis=axis)) for axis in (1, 0))
    row, column = phantom.spacing
    side = max(np.ptp(rows) * row + row, np.ptp(columns) * column + column)
    truth = np.zeros((size, size), bool)
    for i in range(size):
        for j in range(size):
            y = (rows[0] + rows[-1]) / 2 + ((i + 0.5) / size - 0.5) * side / row
            x = (columns[0] + columns[-1]) / 2 + ((j + 0.5) / size - 0.5) * side / column
            y, x = round(y), round(x)
            if 0 <= y < phantom.sector_mask.shape[0] and 0 <= x < phantom.sector_mask.shape[1]:
                truth[i, j] = phantom.sector_mask[y, x]
    return truth, side / size


@pytest.mark.parametrize('which', ['vendor', 'camus'])
def test_a_screen_is_cropped_to_the_framing_of_the_encoder(which, request):
    phantom = request.getfixturevalue(which)
    results = CropToSector(size=112)(sample(phantom))
    truth, pixel = seen_from(phantom, 112)
    assert overlap(results['sector_mask'], truth) > 0.95
    assert results['img_shape'] == results['sector_mask'].shape == (112, 112)
    assert all(frame.shape == (112, 112, 3) for frame in results['imgs'])
    np.testing.assert_allclose(results['spacing'], pixel, rtol=0.03)
    spread = [np.ptp(np.flatnonzero(results['sector_mask'].any(axis=axis))) for axis in (0, 1)]
    assert 109 <= max(spread) <= 111


def test_pixels_outside_the_sector_are_black(vendor):
    results = CropToSector(size=112)(sample(vendor))
    assert not any(frame[~results['sector_mask']].any() for frame in results['imgs'])


def test_without_size_pixels_are_unchanged(vendor):
    results = CropToSector()(sample(vendor))
    mask = results['sector_mask']
    assert mask.shape[0] == mask.shape[1]
    assert results['spacing'] == pytest.approx(vendor.spacing)
    inside = results['imgs'][0][mask]
    assert len(inside) == pytest.approx(vendor.sector_mask.sum(), rel=0.05)
    spotted = vendor.frames[0][vendor.sector_mask]
    assert inside.mean() == pytest.approx(spotted.mean(), rel=0.05)


def test_only_the_region_is_searched(vendor):
    """A second moving picture, as beside the sector on a split screen, lies outside the region."""
    rng = np.random.default_rng(0)
    height, width = vendor.sector_mask.shape
    wide = []
    for frame in vendor.frames:
        beside = rng.integers(0, 255, (height, width, 1), dtype=np.uint8).repeat(3, axis=-1)
        wide.append(np.concatenate([beside, frame], axis=1))
    alone = CropToSector(size=112)(sample(vendor))
    results = CropToSector(size=112)(
        {**sample(vendor), 'imgs': wide, 'region': (width, 0, 2 * width, height)}
    )
    np.testing.assert_array_equal(results['sector_mask'], alone['sector_mask'])
    np.testing.assert_array_equal(results['imgs'], alone['imgs'])


def test_a_box_beyond_the_frame_is_black():
    image = np.arange(1, 13, dtype=np.uint8).reshape(3, 4)
    expected = np.zeros((5, 5), np.uint8)
    expected[1:4, 2:] = image[:, :3]
    np.testing.assert_array_equal(Box(-2, -1, 3, 4).cut(image), expected)
    np.testing.assert_array_equal(Box(1, 1, 3, 2).cut(image), image[1:2, 1:3])


def test_unknown_spacing_and_padded_frames(vendor):
    results = sample(vendor, spacing=None)
    results['imgs'][-1][:] = 0
    results = CropToSector(size=64)(results)
    assert results['spacing'] is None
    assert not results['imgs'][-1].any()
    assert results['sector_mask'].shape == (64, 64)


def test_sector_mask_uses_the_cropped_sector(vendor):
    results = sample(vendor, sample_idx=3, clip_len=16, num_clips=1)
    results = FormatShape('NCTHW')(CropToSector(size=112)(results))
    results = SectorMask(patch_size=8, sector='auto')(results)
    blocks = results['sector_mask'].reshape(14, 8, 14, 8).any(axis=(1, 3))
    assert (results['sector'].reshape(8, 14, 14) == blocks).all()
    with pytest.raises(UserError, match='sector_mask of 112 x 112 pixels does not match'):
        SectorMask(sector='auto')({**results, 'imgs': results['imgs'][..., :64]})


def test_a_recording_without_a_sector_is_named(vendor):
    still = {**sample(vendor), 'imgs': [vendor.frames[0]] * 8}
    with pytest.raises(RecordingError, match=r'a\.avi: no moving ultrasound image'):
        CropToSector()(still)


def test_formatted_frames_are_refused(vendor):
    with pytest.raises(UserError, match='before FormatShape'):
        CropToSector()({'imgs': np.zeros((2, 3, 16, 112, 112), np.uint8)})
    with pytest.raises(UserError, match='at least 1 pixel'):
        CropToSector(size=0)


def test_repr():
    assert repr(CropToSector(112)) == 'CropToSector(size=112, keep_echonet=False)'


def test_recordings_of_echonet_are_only_resized(vendor):
    echonet = make_phantom(11, num_frames=4)
    kept = CropToSector(112, keep_echonet=True).transform(sample(echonet))
    np.testing.assert_array_equal(kept['imgs'], echonet.frames)
    np.testing.assert_array_equal(kept['sector_mask'], template_sector(112, 112))
    assert kept['spacing'] == echonet.spacing
    cropped = [CropToSector(112, keep_echonet=keep).transform(sample(vendor)) for keep in (0, 1)]
    np.testing.assert_array_equal(cropped[0]['imgs'], cropped[1]['imgs'])
