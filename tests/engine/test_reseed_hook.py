from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from echocardmae_mm.engine import ReseedHook


def draws(seed, iteration):
    ReseedHook().before_train_iter(SimpleNamespace(seed=seed, iter=iteration), batch_idx=0)
    return random.random(), np.random.rand(), float(torch.rand(()))  # noqa: NPY002


@pytest.fixture(autouse=True)
def _leave_no_trace():
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    yield
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002
    torch.set_rng_state(states[2])


def test_random_numbers_depend_only_on_seed_and_iteration():
    first = draws(0, 7)
    others = [draws(0, 8), draws(1, 7), draws(7, 0)]
    assert draws(0, 7) == first
    for generator in range(3):
        assert len({draw[generator] for draw in [first, *others]}) == 4
