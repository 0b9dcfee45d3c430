import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch.utils.data import DataLoader, Dataset, Sampler

from echocardmae_mm.utils.counter_rng import (
    EpochIndex,
    RngKey,
    RngStream,
    random_bits,
    random_uniform,
    rng_key,
)

LOW_64 = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
whole = st.integers(0, 2**63 - 1)


def mix(word):
    """splitmix64's finaliser on Python's own unbounded integers."""
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & LOW_64
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & LOW_64
    return word ^ (word >> 31)


@given(whole, whole, whole, st.sampled_from(RngStream), st.integers(0, 9))
def test_equals_a_plain_loop(seed, epoch, video, stream, count):
    state = 0
    for part in (seed, epoch, video, stream):
        state = mix(state + part + GOLDEN & LOW_64)
    expected = [mix(state + i * GOLDEN & LOW_64) for i in range(1, count + 1)]
    drawn = random_bits(RngKey(seed, epoch, video), stream, count)
    assert drawn.dtype == np.uint64
    assert drawn.tolist() == expected
    uniform = random_uniform(RngKey(seed, epoch, video), stream, count)
    assert uniform.tolist() == [(word >> 11) / 2**53 for word in expected]


def test_published_sequence_of_splitmix64():
    state, words = 1234567, []
    for _ in range(3):
        state += GOLDEN
        words.append(mix(state & LOW_64))
    assert words == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@pytest.mark.parametrize('axis', ['seed', 'epoch', 'video', 'stream', 'counter'])
def test_uniform_along_every_axis(axis):
    n, key = 20000, RngKey(3, 5, 7)
    if axis == 'counter':
        drawn = random_uniform(key, RngStream.MASK, n)
    elif axis == 'stream':
        drawn = np.array([random_uniform(key, i, 1)[0] for i in range(n)])
    else:
        keys = (key._replace(**{axis: i}) for i in range(n))
        drawn = np.array([random_uniform(k, RngStream.MASK, 1)[0] for k in keys])
    assert drawn.min() >= 0
    assert drawn.max() < 1
    counts = np.histogram(drawn, bins=100, range=(0, 1))[0]
    assert stats.chisquare(counts).pvalue > 1e-3
    following = np.histogram2d(drawn[:-1], drawn[1:], bins=10, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(following.ravel()).pvalue > 1e-3


def test_a_word_does_not_depend_on_how_many_are_drawn():
    key = RngKey(1, 2, 3)
    assert np.array_equal(
        random_bits(key, RngStream.MASK, 5), random_bits(key, RngStream.MASK, 50)[:5]
    )
    assert random_bits(key, RngStream.MASK, 0).shape == (0,)


def test_streams_and_keys_differ():
    keys = [RngKey(a, b, c) for a in range(3) for b in range(3) for c in range(3)]
    words = [int(random_bits(key, stream, 1)[0]) for key in keys for stream in RngStream]
    assert len(set(words)) == len(words)


def test_an_epoch_index_is_an_int_that_knows_more():
    index = EpochIndex(4, epoch=2, seed=9)
    assert index == 4
    assert [10, 11, 12, 13, 14][index] == 14
    for again in (pickle.loads(pickle.dumps(index)), copy.deepcopy(index), copy.copy(index)):
        assert (again, again.epoch, again.seed, again.video) == (4, 2, 9, 4)


def test_an_index_inside_a_wrapped_data_set_keeps_the_key():
    index = EpochIndex(14, epoch=2, seed=9)
    for inner in (index % 10, index - 10, copy.copy(index - 10)):
        assert inner == 4
        assert rng_key({'sample_idx': inner}) == RngKey(9, 2, 14)


def test_without_epoch_the_seed_comes_from_numpys_generator_once_a_sample():
    np.random.seed(0)  # noqa: NPY002
    results = {'sample_idx': 4}
    key = rng_key(results)
    assert (key.epoch, key.video) == (0, 4)
    assert rng_key(results) == key
    assert rng_key({'sample_idx': 4}) != key
    np.random.seed(0)  # noqa: NPY002
    assert rng_key({'sample_idx': 4}) == key


class Keys(Dataset):
    def __len__(self):
        return 6

    def __getitem__(self, index):
        return rng_key({'sample_idx': index})


class Indices(Sampler):
    def __iter__(self):
        return iter([EpochIndex(i, epoch=3, seed=8) for i in (5, 0, 2, 1)])


@pytest.mark.parametrize('workers', [0, 2])
def test_the_key_reaches_a_data_set_in_any_worker(workers):
    loader = DataLoader(
        Keys(), batch_size=2, sampler=Indices(), num_workers=workers, collate_fn=list
    )
    assert [key for batch in loader for key in batch] == [
        RngKey(8, 3, video) for video in (5, 0, 2, 1)
    ]
