from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import BatchSampler

from echocardmae_mm.engine import EpochSampler
from echocardmae_mm.utils.counter_rng import EpochIndex


def sampler_of(size, rank=0, ranks=1, epoch=0, **kwargs):
    sampler = EpochSampler(range(size), **{'seed': 5, **kwargs})
    sampler.rank, sampler.world_size = rank, ranks
    sampler.set_epoch(epoch)
    return sampler


@given(size=st.integers(1, 60), epoch=st.integers(0, 5))
def test_each_epoch_is_a_permutation_that_seed_and_epoch_determine(size, epoch):
    order = list(sampler_of(size, epoch=epoch))
    assert sorted(order) == list(range(size))
    assert order == list(sampler_of(size, epoch=epoch))
    assert all(isinstance(index, EpochIndex) for index in order)
    assert {(index.epoch, index.seed) for index in order} == {(epoch, 5)}


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = [list(sampler_of(50, epoch=epoch)) for epoch in range(3)]
    orders += [list(sampler_of(50, seed=6))]
    assert len({tuple(order) for order in orders}) == 4


def test_every_position_is_equally_likely():
    firsts = [next(iter(sampler_of(4, epoch=epoch))) for epoch in range(4000)]
    assert all(900 < firsts.count(index) < 1100 for index in range(4))


@given(
    size=st.integers(1, 60),
    ranks=st.integers(1, 5),
    batch=st.integers(1, 5),
    epoch=st.integers(0, 3),
)
def test_the_global_batch_is_that_of_one_process(size, ranks, batch, epoch):
    alone = list(BatchSampler(sampler_of(size, epoch=epoch), ranks * batch, drop_last=True))
    parts = [
        list(BatchSampler(sampler_of(size, rank, ranks, epoch), batch, drop_last=True))
        for rank in range(ranks)
    ]
    together = [
        [part[row] for row in range(batch) for part in iteration] for iteration in zip(*parts)
    ]
    assert together == alone


@given(size=st.integers(1, 40), ranks=st.integers(1, 5))
def test_unshuffled_ranks_have_equal_length_and_cover_everything(size, ranks):
    parts = [list(sampler_of(size, rank, ranks, 7, shuffle=False)) for rank in range(ranks)]
    assert {len(part) for part in parts} == {len(sampler_of(size, 0, ranks, shuffle=False))}
    merged = [index for row in zip(*parts) for index in row]  # as mmengine's evaluator does
    assert merged[:size] == list(range(size))
    assert {index.epoch for index in merged} == {0}


@pytest.mark.parametrize('start', [0, 3, 10])
def test_starts_within_the_epoch_once(start):
    sampler = sampler_of(10)
    whole = list(sampler)
    sampler.start_at(start)
    assert len(sampler) == 10
    assert list(sampler) == whole[start:]
    assert list(sampler) == whole


def test_draws_a_seed_if_none_is_given():
    sampler = sampler_of(5, seed=None)
    assert list(sampler) == list(sampler)
