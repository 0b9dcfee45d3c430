"""Random numbers are those of the first edition, recorded before it was rewritten."""

from pathlib import Path

import numpy as np
import pytest
import torch

from echocardmae_mm.datasets.transforms import RandomShift, SampleRandomClips, SectorMask
from echocardmae_mm.sector.masking import mask_tokens
from echocardmae_mm.utils.counter_rng import (
    EpochIndex,
    RngKey,
    RngStream,
    random_bits,
    random_bits53,
)

RECORDED = np.load(Path(__file__).parents[1] / 'data' / 'random_draws.npz')
KEYS = RECORDED['keys']
INDICES = [EpochIndex(video, epoch, seed) for seed, epoch, video in KEYS.tolist()]


@pytest.mark.parametrize('strategy', ['random', 'tube', 'block'])
@pytest.mark.parametrize('grid', ['template', 'fine', 'whole', 'ragged'])
def test_masks_match_the_recorded_ones(grid, strategy):
    sector = torch.from_numpy(RECORDED[f'grid_{grid}'])[None]
    num_visible = int(RECORDED[f'visible_{grid}'])
    masked = mask_tokens(sector, torch.from_numpy(KEYS), 2, 8, num_visible, strategy)
    packed = np.packbits(masked.numpy(), axis=-1)
    np.testing.assert_array_equal(packed, RECORDED[f'{strategy}_{grid}'])


@pytest.mark.parametrize('strategy', ['random', 'tube', 'block'])
@pytest.mark.parametrize('same_mask', [False, True])
def test_transform_masks_match_the_recorded_ones(strategy, same_mask):
    transform = SectorMask(strategy=strategy, same_mask=same_mask)
    imgs = np.zeros((2, 3, 16, 112, 112), np.uint8)
    results = [transform({'imgs': imgs, 'sample_idx': index}) for index in INDICES]
    masked = np.packbits(np.stack([r['masked'] for r in results]), axis=-1)
    np.testing.assert_array_equal(masked, RECORDED[f'transform_{strategy}_{int(same_mask)}'])
    sector = np.packbits(results[0]['sector'], axis=-1)
    np.testing.assert_array_equal(sector, RECORDED['transform_sector'])


@pytest.mark.parametrize(
    ('name', 'settings'),
    [
        ('interval', dict(clip_len=16, frame_interval=4)),
        ('fps', dict(clip_len=16, target_fps=12.5)),
        ('loop', dict(clip_len=32, frame_interval=2, pad='loop', num_clips=3)),
    ],
)
def test_clips_match_the_recorded_ones(name, settings):
    sampler = SampleRandomClips(**settings)
    recording = {'filename': 'x', 'avg_fps': 50.0}
    frames = [
        sampler({**recording, 'total_frames': total, 'sample_idx': index})['frame_inds']
        for total in RECORDED['totals'].tolist()
        for index in INDICES
    ]
    np.testing.assert_array_equal(frames, RECORDED[f'starts_{name}'])


def test_shifts_match_the_recorded_ones():
    shift = RandomShift(12)
    for index, expected in zip(INDICES, RECORDED['shifted']):
        image = RECORDED['shift_image'].copy()
        np.testing.assert_array_equal(shift({'img': image, 'sample_idx': index})['img'], expected)


def test_bits_match_the_recorded_ones_in_numpy_and_torch():
    for stream, expected in zip(RngStream, RECORDED['bits'].swapaxes(0, 1)):
        for key, words in zip(KEYS, expected):
            np.testing.assert_array_equal(random_bits(RngKey(*key), stream, 8), words)
        ours = random_bits53(torch.from_numpy(KEYS), stream, 8)
        np.testing.assert_array_equal(ours.numpy(), (expected >> np.uint64(11)).astype(np.int64))


def test_a_video_draws_the_same_alone_and_in_a_batch_of_other_sectors():
    keys = torch.from_numpy(KEYS[:3])
    sectors = torch.zeros(3, 7, 7, dtype=torch.bool)
    for row, tokens in enumerate((12, 30, 49)):
        sectors.view(3, -1)[row, :tokens] = True
    for strategy in ('random', 'tube', 'block'):
        together = mask_tokens(sectors, keys, 1, 8, 5, strategy)
        for row in range(3):
            alone = mask_tokens(sectors[row : row + 1], keys[row : row + 1], 1, 8, 5, strategy)
            assert torch.equal(together[row], alone[0])
