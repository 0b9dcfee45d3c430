"""Random generators whose state is a function of the iteration."""

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
    """Reseeds python, numpy and torch before each training iteration.

    Dropout and whatever else draws from the global generators then depends on seed, iteration and
    rank only, and a resumed run draws what the uninterrupted one draws. It comes before all other
    hooks, so that their draws do too.
    """

    priority = 'HIGHEST'

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Reseed the generators.

        Args:
            runner (Runner): The runner of the training process.
            batch_idx (int): Unused.
            data_batch (dict, optional): Unused. Defaults to None.
        """
        key = RngKey(runner.seed, runner.iter, get_rank())
        seed = int(random_bits(key, RngStream.TRAIN_STEP, 1)[0])
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        torch.manual_seed(seed)
