"""Masked tokens: counts, polarity, structure of the strategies, uniformity."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label
from scipy.stats import chi2

from echocardmae_mm.datasets.transforms.sector_mask import SectorMask
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
def test_masks_satisfy_invariants_for_any_shape(
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
        ({}, (2, 3, 16, 112, 100), '112 x 100 pixels cannot be divided'),
        (
            {'tubelet_size': 3},
            (2, 3, 16, 112, 112),
            '16 frames cannot be divided into tubelets',
        ),
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


def test_auto_uses_the_detected_mask():
    mask = np.zeros((112, 112), bool)
    mask[:, :57] = True
    results = SectorMask(patch_size=8, sector='auto')({**sample(), 'sector_mask': mask})
    assert (results['sector'].reshape(2, 8, 14, 14) == (np.arange(14) < 8)).all()
    assert (visible_slots(results).sum(axis=-1) == 39).all()


def test_auto_without_a_mask_or_with_one_of_another_size_is_refused():
    with pytest.raises(UserError, match='put FindSector or CropToSector'):
        SectorMask(sector='auto')(sample())
    with pytest.raises(UserError, match='56 x 56 pixels does not match frames of 112 x 112'):
        SectorMask(sector='auto')({**sample(), 'sector_mask': np.ones((56, 56), bool)})


def test_a_recording_with_a_small_sector_is_skipped():
    mask = np.zeros((112, 112), bool)
    mask[:30, :40] = True
    results = {**sample(), 'sector_mask': mask, 'filename': 'b.avi'}
    with pytest.raises(RecordingError, match=r'b\.avi: .* too few for 10 visible'):
        SectorMask(sector='auto')(results)


def test_repr_gives_every_option():
    text = repr(SectorMask(8, strategy='tube', same_mask=False))
    assert "patch_size=8, tubelet_size=2, strategy='tube', mask_ratio=0.75" in text
    assert 'same_mask=False' in text
