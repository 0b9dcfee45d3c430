"""Make the state of random generators depend only on seed, iteration and rank."""

from __future__ import annotations

import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from echocardmae_mm.registry import HOOKS
from echocardmae_mm.utils.counter_rng import RngKey, RngStream, random_bits


@HOOKS.register_module()
class ReseedHook(Hook):
    """Reseed Python, NumPy and torch before each training iteration.

    Dropout and everything else that uses the global generators is then the same in a resumed run as
    in an uninterrupted one. The hook runs before all others, so this includes their random numbers.
    """

    priority = 'HIGHEST'

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Reseed the generators."""
        key = RngKey(runner.seed, runner.iter, get_rank())
        seed = int(random_bits(key, RngStream.TRAIN_STEP, 1)[0])
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        torch.manual_seed(seed)
