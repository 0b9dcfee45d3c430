"""Counter-based random numbers: each is a pure function of (seed, epoch, video, stream, counter).

No process has a random state, so results do not depend on the number of workers or ranks, or on
restarts. The hash is the finaliser of splitmix64 (Steele et al., "Fast splittable pseudorandom
number generators", OOPSLA 2014), applied to each part of the key in turn.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB
_LOW_64 = (1 << 64) - 1

Words = TypeVar('Words', int, np.ndarray)

_SIGNED = 1 << 64  # subtract from a constant of at least 2 ** 63 to get the same bits as int64


class RngStream(IntEnum):
    """The purpose of a random number; the streams of a video are independent."""

    SHUFFLE = 1
    CLIP_START = 2
    MASK = 3
    REPLACEMENT = 4
    TRANSFORMS = 5
    TRAIN_STEP = 6
    INNER_SPLIT = 7
    SHIFT = 8
    CLIP_POSITION = 9
    PATIENT_FOLD = 10
    CLICK = 11
    LABELLED_PATIENT = 12


class RngKey(NamedTuple):
    """The key of the random numbers of a sample.

    Args:
        seed (int): Seed of the run.
        epoch (int): Epoch, from 0.
        video (int): Index of the video in the data set of the data loader.
    """

    seed: int
    epoch: int
    video: int


class EpochIndex(int):
    """The index of a sample, with the epoch and the seed of its random numbers.

    For data sets it is an ordinary ``int``; transforms get it as ``results['sample_idx']``. The
    index of the same sample inside ``RepeatDataset`` (``%``) or ``ConcatDataset`` (``-``) keeps the
    key, so repetitions of a recording, and recordings that share an index, get their own random
    numbers.

    Args:
        index (int): Index of the sample in its data set.
        epoch (int): Epoch, from 0.
        seed (int): Seed of the run.
        video (int, optional): Index in the data set of the data loader, if another data set wraps
            this one. Defaults to None, ``index``.
    """

    epoch: int
    seed: int
    video: int

    def __new__(cls, index: int, epoch: int, seed: int, video: int | None = None) -> EpochIndex:
        self = super().__new__(cls, index)
        self.epoch = epoch
        self.seed = seed
        self.video = int(index) if video is None else video
        return self

    def __mod__(self, length: int) -> EpochIndex:
        return EpochIndex(int(self) % length, self.epoch, self.seed, self.video)

    def __sub__(self, offset: int) -> EpochIndex:
        return EpochIndex(int(self) - offset, self.epoch, self.seed, self.video)

    def __reduce__(self) -> tuple[type[EpochIndex], tuple[int, int, int, int]]:
        return type(self), (int(self), self.epoch, self.seed, self.video)

    def __deepcopy__(self, memo: dict[int, Any]) -> EpochIndex:
        return self


def rng_key(results: dict[str, Any]) -> RngKey:
    """Get the key of the sample in a pipeline.

    Stock samplers do not provide the epoch; the seed then comes from numpy's legacy global
    generator, which stock transforms also use.
    """
    index = results.get('sample_idx', 0)
    if isinstance(index, EpochIndex):
        return RngKey(index.seed, index.epoch, index.video)
    if 'rng_seed' not in results:
        results['rng_seed'] = int(np.random.randint(0, 2**63, dtype=np.int64))  # noqa: NPY002
    return RngKey(results['rng_seed'], 0, int(index))


def random_bits(key: RngKey, stream: RngStream, count: int) -> np.ndarray:
    """Generate uniform 64-bit words, uint64 of shape (count,).

    Word i does not depend on ``count``.
    """
    state = 0
    for part in (*key, stream):
        state = _mix((state + int(part) + _GOLDEN) & _LOW_64)
    counters = np.arange(1, count + 1, dtype=np.uint64)
    return _mix(counters * _GOLDEN + state)


def random_uniform(key: RngKey, stream: RngStream, count: int) -> np.ndarray:
    """Generate uniform numbers in [0, 1) with 53 random bits, float64 of shape (count,)."""
    return (random_bits(key, stream, count) >> 11) * 2.0**-53


def _mix(words: Words) -> Words:
    words = ((words ^ (words >> 30)) * _MIX_1) & _LOW_64
    words = ((words ^ (words >> 27)) * _MIX_2) & _LOW_64
    return words ^ (words >> 31)


def random_bits53(keys: Tensor, stream: RngStream, count: int) -> Tensor:
    """Generate uniform 53-bit integers on any device: 2 ** 53 times ``random_uniform``.

    Args:
        keys (Tensor): int64 of shape (B, 3), one :class:`RngKey` per row.
        stream (RngStream): The purpose of the numbers.
        count (int): Numbers per key.

    Returns:
        Tensor: int64 of shape (B, count).
    """
    state = torch.zeros_like(keys[:, :1])
    for part in (*keys.split(1, dim=1), int(stream)):
        state = _mix_tensor(state + part + (_GOLDEN - _SIGNED))
    counters = torch.arange(1, count + 1, device=keys.device)
    return _shift_right(_mix_tensor(state + counters * (_GOLDEN - _SIGNED)), 11)


def _mix_tensor(words: Tensor) -> Tensor:
    words = (words ^ _shift_right(words, 30)) * (_MIX_1 - _SIGNED)
    words = (words ^ _shift_right(words, 27)) * (_MIX_2 - _SIGNED)
    return words ^ _shift_right(words, 31)


def _shift_right(words: Tensor, bits: int) -> Tensor:
    """Shift logically; torch has no unsigned 64-bit integers, so clear the copied sign bits."""
    return (words >> bits) & ((1 << (64 - bits)) - 1)
