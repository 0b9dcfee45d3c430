"""A sampler whose order is a function of seed and epoch, and which can begin inside an epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sized

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from echocardmae_mm.registry import DATA_SAMPLERS
from echocardmae_mm.utils.counter_rng import EpochIndex, RngKey, RngStream, random_bits


@DATA_SAMPLERS.register_module()
class EpochSampler(Sampler):
    """Yields :class:`EpochIndex`, which tells the transforms the epoch and seed they draw under.

    Rank r of R takes every R-th sample of the epoch's order, from the r-th on, so that the R
    batches of one iteration together hold the samples that one process with R times the batch size
    would take; row i of rank r is row i R + r of that batch. Where the samples do not divide by R,
    training leaves the last few of the epoch's order out, and evaluation repeats the first few,
    which mmengine's evaluator cuts off again.

    Args:
        dataset (Sized): The data set.
        shuffle (bool): Whether each epoch has an order of its own; without it the samples come in
            order and under epoch 0, the same each time. Defaults to True.
        seed (int, optional): Seed of the run, the same on all ranks; the Runner passes its own.
            Defaults to None, one is drawn and shared.
    """

    def __init__(self, dataset: Sized, shuffle: bool = True, seed: int | None = None) -> None:
        self.rank, self.world_size = get_dist_info()
        self.dataset = dataset
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self._start = 0

    def __len__(self) -> int:
        """Samples of this rank in a whole epoch."""
        share = len(self.dataset) / self.world_size
        return math.floor(share) if self.shuffle else math.ceil(share)

    def __iter__(self) -> Iterator[EpochIndex]:
        """Go through the epoch's samples of this rank, from where :meth:`start_at` said."""
        start, self._start = self._start, 0
        epoch = self.epoch if self.shuffle else 0
        order = np.arange(len(self.dataset))
        if self.shuffle:
            key = RngKey(self.seed, epoch, 0)
            order = np.argsort(random_bits(key, RngStream.SHUFFLE, len(order)), kind='stable')
        order = np.resize(order, len(self) * self.world_size)
        for index in order[self.rank :: self.world_size][start:]:
            yield EpochIndex(int(index), epoch, self.seed)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch that the next pass goes through.

        Args:
            epoch (int): Epoch, from 0.
        """
        self.epoch = epoch

    def start_at(self, samples: int) -> None:
        """Let the next pass, and only that, leave out what was already seen.

        Args:
            samples (int): Samples of this rank to leave out; they are not loaded.
        """
        self._start = samples
