"""Make stock transforms, which use the global random generators, reproducible."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch.utils.data import get_worker_info

from echocardmae_mm.utils.counter_rng import RngKey, RngStream, random_bits


@contextmanager
def seeded_generators(key: RngKey) -> Iterator[None]:
    """Seed the global generators of Python, numpy and torch for one sample, then restore them.

    A stock transform then draws the same numbers for a sample in any process and in any order.
    Worker processes use their generators for nothing else, so they skip restoring, which takes
    90 us.
    """
    restores = get_worker_info() is None
    if restores:
        states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    seeds = [int(bits) for bits in random_bits(key, RngStream.TRANSFORMS, 3)]
    random.seed(seeds[0])
    np.random.seed(seeds[1] % 2**32)  # noqa: NPY002
    torch.default_generator.manual_seed(seeds[2] % 2**63)
    try:
        yield
    finally:
        if restores:
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002
            torch.set_rng_state(states[2])
