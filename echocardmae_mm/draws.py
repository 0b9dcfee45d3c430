"""Random draws that are a pure function of (seed, epoch, video, stream, counter).

No state lives in a worker or a process, so neither the number of workers or ranks, nor persistence,
nor a restart changes what a run sees. The hash is splitmix64's finaliser (Steele et al., "Fast
splittable pseudorandom number generators", OOPSLA 2014), folded once over each part of the key.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple, TypeVar

import numpy as np

_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB
_LOW_64 = (1 << 64) - 1

Words = TypeVar('Words', int, np.ndarray)


class Stream(IntEnum):
    """What a draw is for; two streams of one video are independent."""

    SHUFFLE = 1
    CLIP_START = 2
    MASK = 3
    REPLACEMENT = 4
    TRANSFORMS = 5
    TRAIN_STEP = 6
    INNER_SPLIT = 7
    SHIFT = 8
    CLIP_PLACE = 9
    PATIENT_FOLD = 10


class DrawKey(NamedTuple):
    """Whose draw it is.

    Args:
        seed (int): Seed of the run.
        epoch (int): Epoch, from 0.
        video (int): Index of the video in its data set.
    """

    seed: int
    epoch: int
    video: int


class EpochIndex(int):
    """A sample's index that knows the epoch and the seed it is drawn under.

    It is an ordinary ``int`` to every data set, survives pickling into worker processes, and
    arrives in the transforms as ``results['sample_idx']``.

    Args:
        index (int): Index of the sample in its data set.
        epoch (int): Epoch, from 0.
        seed (int): Seed of the run.
    """

    epoch: int
    seed: int

    def __new__(cls, index: int, epoch: int, seed: int) -> EpochIndex:
        self = super().__new__(cls, index)
        self.epoch = epoch
        self.seed = seed
        return self

    def __reduce__(self) -> tuple[type[EpochIndex], tuple[int, int, int]]:
        return type(self), (int(self), self.epoch, self.seed)

    def __deepcopy__(self, memo: dict[int, Any]) -> EpochIndex:
        return self


def draw_key(results: dict[str, Any]) -> DrawKey:
    """Key of the sample that a pipeline is working on.

    Under a sampler that does not carry the epoch (any stock one) the seed is taken from numpy's
    global generator: the legacy one, because that is the source that stock transforms use.

    Args:
        results (dict): The pipeline's results dict.

    Returns:
        DrawKey: Seed, epoch and index of the video.
    """
    index = results.get('sample_idx', 0)
    if isinstance(index, EpochIndex):
        return DrawKey(index.seed, index.epoch, int(index))
    if 'draw_seed' not in results:
        results['draw_seed'] = int(np.random.randint(0, 2**63, dtype=np.int64))  # noqa: NPY002
    return DrawKey(results['draw_seed'], 0, int(index))


def draw_bits(key: DrawKey, stream: Stream, count: int) -> np.ndarray:
    """Uniform 64-bit words.

    Args:
        key (DrawKey): Whose draw it is.
        stream (Stream): What it is for.
        count (int): Number of words.

    Returns:
        np.ndarray: uint64 of shape (count,); word i does not depend on ``count``.
    """
    state = 0
    for part in (*key, stream):
        state = _mix((state + int(part) + _GOLDEN) & _LOW_64)
    counters = np.arange(1, count + 1, dtype=np.uint64)
    return _mix(counters * _GOLDEN + state)


def draw_uniform(key: DrawKey, stream: Stream, count: int) -> np.ndarray:
    """Uniform numbers in [0, 1), each with 53 random bits.

    Args:
        key (DrawKey): Whose draw it is.
        stream (Stream): What it is for.
        count (int): Number of draws.

    Returns:
        np.ndarray: float64 of shape (count,).
    """
    return (draw_bits(key, stream, count) >> 11) * 2.0**-53


def _mix(words: Words) -> Words:
    words = ((words ^ (words >> 30)) * _MIX_1) & _LOW_64
    words = ((words ^ (words >> 27)) * _MIX_2) & _LOW_64
    return words ^ (words >> 31)
