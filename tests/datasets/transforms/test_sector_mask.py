"""Masked tokens: counts, polarity, structure of the strategies, uniformity."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label
from scipy.stats import chi2

from echocardmae_mm.datasets.transforms.sector_mask import SectorMask
from echocardmae_mm.phantom import make_phantom
from echocardmae_mm.sector.geometry import template_sector, token_sector
from echocardmae_mm.utils.counter_rng import EpochIndex, RngStream, random_uniform, rng_key
from echocardmae_mm.utils.errors import RecordingError, UserError


def sample(index=0, epoch=0, seed=0, shape=(2, 3, 16, 112, 112)):
    return {'imgs': np.zeros(shape, np.uint8), 'sample_idx': EpochIndex(index, epoch, seed)}


def visible_slots(results, num_slots=8):
    visible = results['sector'] & ~results['masked']
    return visible.reshape(len(visible), num_slots, -1)


@pytest.mark.parametrize('strategy', ['random', 'tube', 'block'])
@pytest.mark.parametrize(
    ('options', 'num_visible', 'num_masked'),
    [
        ({'patch_size': 8}, 312, 952),
        ({'patch_size': 16}, 80, 256),
        ({'patch_size': 8, 'sector': 'none'}, 392, 1176),
        ({'patch_size': 8, 'mask_ratio': 0.9}, 15 * 8, 143 * 8),
        ({'patch_size': 8, 'num_visible': 7}, 56, 151 * 8),
    ],
)
def test_counts_are_constants_of_the_config(strategy, options, num_visible, num_masked):
    results = SectorMask(strategy=strategy, **options)(sample())
    assert results['sector'].dtype == results['masked'].dtype == bool
    assert results['sector'].shape == results['masked'].shape
    assert not (results['masked'] & ~results['sector']).any()
    assert results['masked'].sum(axis=1).tolist() == [num_masked] * 2
    assert (visible_slots(results).sum(axis=-1) == num_visible // 8).all()


def test_sector_is_the_template_in_every_slot_and_clip():
    results = SectorMask(patch_size=8)(sample())
    grid = token_sector(template_sector(112, 112), 8)
    assert (results['sector'].reshape(2, 8, 14, 14) == grid).all()


def test_random_equals_a_plain_loop():
    results = SectorMask(patch_size=8, same_mask=False)(sample(index=5, epoch=3, seed=9))
    grid = token_sector(template_sector(112, 112), 8).ravel()
    draws = random_uniform(rng_key(results), RngStream.MASK, 2 * 8 * 196)
    for clip in range(2):
        for slot in range(8):
            ranked = []
            for cell in range(196):
                if grid[cell]:
                    ranked.append((draws[(clip * 8 + slot) * 196 + cell], cell))
            shown = {cell for _, cell in sorted(ranked)[:39]}
            for cell in range(196):
                hidden = results['masked'][clip, slot * 196 + cell]
                assert hidden == (grid[cell] and cell not in shown)


def test_random_slots_differ_and_tube_slots_agree():
    slots = visible_slots(SectorMask(patch_size=8)(sample()))
    assert all((slots[0, 0] != slots[0, slot]).any() for slot in range(1, 8))
    tubes = visible_slots(SectorMask(patch_size=8, strategy='tube', same_mask=False)(sample()))
    assert (tubes == tubes[:, :1]).all()
    assert (tubes[0] != tubes[1]).any()


def test_blocks_are_contiguous_and_random_is_not():
    """Hidden cells of a slot form fewer and larger pieces than scattered ones of the same count."""

    def pieces(strategy):
        transform = SectorMask(patch_size=8, strategy=strategy, mask_ratio=0.4)
        grids = [transform(sample(index))['masked'][0].reshape(8, 14, 14) for index in range(40)]
        return np.array([label(slot)[1] for grid in grids for slot in grid])

    assert pieces('block').mean() < 2.5
    assert pieces('random').mean() > 8


def test_one_block_is_a_filled_rectangle():
    """With so few masked tokens that one block holds them, they fill their bounding box."""
    transform = SectorMask(patch_size=8, strategy='block', sector='none', num_visible=190)
    for index in range(50):
        for slot in transform(sample(index))['masked'][0].reshape(8, 14, 14):
            rows, columns = np.nonzero(slot)
            assert label(slot)[1] == 1
            assert np.ptp(rows) + 1 <= 6
            assert np.ptp(columns) + 1 <= 6


@pytest.mark.parametrize('strategy', ['random', 'tube', 'block'])
def test_one_mask_for_both_clips_or_one_each(strategy):
    shared = SectorMask(strategy=strategy)(sample(3))['masked']
    each = SectorMask(strategy=strategy, same_mask=False)(sample(3))['masked']
    assert (shared[0] == shared[1]).all()
    assert (each[0] != each[1]).any()
    np.testing.assert_array_equal(each[0], shared[0])


@pytest.mark.parametrize('strategy', ['random', 'tube', 'block'])
def test_a_mask_is_a_function_of_seed_epoch_and_video(strategy):
    transform = SectorMask(strategy=strategy)
    first = transform(sample(3, 2, 1))['masked']
    np.testing.assert_array_equal(transform(sample(3, 2, 1))['masked'], first)
    for other in [(4, 2, 1), (3, 3, 1), (3, 2, 2)]:
        assert (transform(sample(*other))['masked'] != first).any()


@pytest.mark.parametrize('strategy', ['random', 'tube'])
def test_every_token_is_masked_equally_often(strategy):
    """Chi-square over keys; slots of a tube are one draw, so only the first is counted."""
    transform = SectorMask(patch_size=8, strategy=strategy)
    draws = 400
    shown = np.zeros(196)
    slots = 8 if strategy == 'random' else 1
    for index in range(draws):
        results = sample(index, epoch=index % 7, shape=(1, 3, 16, 112, 112))
        shown += visible_slots(transform(results))[0, :slots].sum(axis=0)
    grid = token_sector(template_sector(112, 112), 8).ravel()
    assert (shown[~grid] == 0).all()
    rate = 39 / 158
    expected = draws * slots * rate
    # Drawing without replacement: the counts' variance is smaller than Poisson's by 1 - rate.
    statistic = ((shown[grid] - expected) ** 2).sum() / (expected * (1 - rate)) * 157 / 158
    assert chi2.ppf(1e-4, 157) < statistic < chi2.ppf(1 - 1e-4, 157)


@settings(max_examples=60)
@given(
    rows=st.integers(2, 9),
    columns=st.integers(2, 9),
    slots=st.integers(1, 5),
    patch_size=st.sampled_from([4, 8, 16]),
    tubelet_size=st.integers(1, 3),
    clips=st.integers(1, 3),
    strategy=st.sampled_from(['random', 'tube', 'block']),
    share=st.floats(0.01, 0.99),
    same_mask=st.booleans(),
    index=st.integers(0, 2**31),
)
def test_any_shape_keeps_the_contract(
    rows, columns, slots, patch_size, tubelet_size, clips, strategy, share, same_mask, index
):
    shape = (clips, 1, slots * tubelet_size, rows * patch_size, columns * patch_size)
    tokens = rows * columns
    num_visible = min(tokens - 1, max(1, int(share * tokens)))
    transform = SectorMask(
        patch_size, tubelet_size, strategy, sector='none', num_visible=num_visible,
        same_mask=same_mask,
    )  # fmt: skip
    results = transform(sample(index, shape=shape))
    assert results['masked'].shape == (clips, slots * tokens)
    assert results['sector'].all()
    assert (visible_slots(results, slots).sum(axis=-1) == num_visible).all()


@pytest.mark.parametrize(
    ('options', 'shape', 'message'),
    [
        ({}, (2, 3, 16, 112, 100), '112 x 100 pixels does not divide'),
        ({'tubelet_size': 3}, (2, 3, 16, 112, 112), '16 frames does not divide into tubelets of 3'),
        ({'num_visible': 42}, (2, 3, 16, 112, 112), 'has 42 tokens .* too few for 42 visible'),
        ({'mask_ratio': 0.99}, (2, 3, 16, 112, 112), 'for 0 visible'),
        ({}, (16, 112, 112, 3), 'FormatShape'),
    ],
)
def test_clips_that_do_not_fit_are_refused(options, shape, message):
    with pytest.raises(UserError, match=message):
        SectorMask(**options)(sample(shape=shape))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'strategy': 'rows'}, 'rows'),
        ({'sector': 'fan'}, 'fan'),
        ({'mask_ratio': 75}, '75'),
        ({'num_visible': 0}, 'at least 1'),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        SectorMask(**options)


def test_auto_detects_on_all_clips_and_needs_room():
    phantom = make_phantom(21, screen='whole', num_frames=64)
    clips = phantom.frames[::2].reshape(2, 16, 112, 112, 3).transpose(0, 4, 1, 2, 3)
    results = {'imgs': clips, 'filename': 'b.avi', 'sample_idx': EpochIndex(0, 0, 0)}
    truth = token_sector(phantom.sector_mask, 8)
    results = SectorMask(patch_size=8, sector='auto', same_mask=False)(results)
    grid = results['sector'].reshape(2, 8, 14, 14)
    assert (grid == grid[0, 0]).all()
    assert (grid[0, 0] != truth).sum() <= 12
    assert (visible_slots(results).sum(axis=-1) == 39).all()
    assert not (results['masked'] & ~results['sector']).any()

    with pytest.raises(RecordingError, match=r'b\.avi: the sector has \d+ tokens .* for 150 vis'):
        SectorMask(patch_size=8, sector='auto', num_visible=150)(results)
    black = {**results, 'imgs': np.zeros_like(clips)}
    with pytest.raises(RecordingError, match=r'b\.avi: 0 of 16 frames show a picture'):
        SectorMask(patch_size=8, sector='auto')(black)


def test_auto_takes_the_mask_that_is_there():
    mask = np.zeros((112, 112), bool)
    mask[:, :57] = True
    results = SectorMask(patch_size=8, sector='auto')({**sample(), 'sector_mask': mask})
    assert (results['sector'].reshape(2, 8, 14, 14) == (np.arange(14) < 8)).all()


def test_repr_gives_every_option():
    text = repr(SectorMask(8, strategy='tube', same_mask=False))
    assert "patch_size=8, tubelet_size=2, strategy='tube', mask_ratio=0.75" in text
    assert 'same_mask=False' in text


@pytest.mark.parametrize('strategy', ['random', 'tube'])
@pytest.mark.parametrize('same_mask', [True, False])
@pytest.mark.parametrize('sector', ['template', 'none'])
def test_a_batch_has_the_masks_of_its_samples(strategy, same_mask, sector):
    options = dict(patch_size=8, strategy=strategy, same_mask=same_mask, sector=sector)
    transform = SectorMask(**options)
    imgs = torch.zeros(6, 3, 4, 112, 112, dtype=torch.uint8)
    keys = torch.tensor([(7, epoch, video) for epoch, video in ((0, 3), (1, 3), (1, 4))])
    batch = transform.transform_batch({'imgs': imgs, 'keys': keys})
    visible, masked = batch['num_places']
    for row, (seed, epoch, video) in enumerate(keys.tolist()):
        results = {'imgs': imgs[:2].numpy(), 'sample_idx': EpochIndex(video, epoch, seed)}
        alone = transform(results)
        for name in ('sector', 'masked'):
            np.testing.assert_array_equal(batch[name][row::3], alone[name])
        assert alone['masked'].sum(1).tolist() == [masked, masked]
        assert (alone['sector'] & ~alone['masked']).sum(1).tolist() == [visible, visible]
