"""Stock transforms draw from the global generators; here these follow the sample."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from echocardmae_mm.utils.counter_rng import RngKey, RngStream, random_bits


@contextmanager
def seeded_generators(key: RngKey) -> Iterator[None]:
    """Seed Python's, numpy's and torch's global generators for one sample, and restore them after.

    So a stock transform draws the same numbers for a sample whatever process prepares it and
    whatever was prepared before.

    Args:
        key (RngKey): Whose draws they are.
    """
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    seeds = [int(bits) for bits in random_bits(key, RngStream.TRANSFORMS, 3)]
    random.seed(seeds[0])
    np.random.seed(seeds[1] % 2**32)  # noqa: NPY002
    torch.default_generator.manual_seed(seeds[2] % 2**63)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])
