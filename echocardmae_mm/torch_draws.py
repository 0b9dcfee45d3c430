"""The draws of :mod:`echocardmae_mm.draws` for whole batches on any device, bit by bit the same.

torch has no unsigned 64-bit arithmetic on a GPU: the words are int64 that wrap around, and a shift
to the right clears what the sign would fill in.
"""

from __future__ import annotations

import torch
from torch import Tensor

from echocardmae_mm.draws import Stream

_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX_2 = 0x94D049BB133111EB - (1 << 64)


def draw_ranks(keys: Tensor, stream: Stream, count: int) -> Tensor:
    """Uniform 53-bit integers, ``draw_uniform`` of the same key times 2 ** 53.

    Args:
        keys (Tensor): int64 of shape (B, 3), a :class:`~echocardmae_mm.draws.DrawKey` a row.
        stream (Stream): What the draws are for.
        count (int): Draws of each key.

    Returns:
        Tensor: int64 of shape (B, count).
    """
    state = torch.zeros_like(keys[:, :1])
    for part in (*keys.split(1, dim=1), int(stream)):
        state = _mix(state + part + _GOLDEN)
    counters = torch.arange(1, count + 1, device=keys.device)
    return _shift_right(_mix(state + counters * _GOLDEN), 11)


def _mix(words: Tensor) -> Tensor:
    words = (words ^ _shift_right(words, 30)) * _MIX_1
    words = (words ^ _shift_right(words, 27)) * _MIX_2
    return words ^ _shift_right(words, 31)


def _shift_right(words: Tensor, places: int) -> Tensor:
    return (words >> places) & ((1 << (64 - places)) - 1)
