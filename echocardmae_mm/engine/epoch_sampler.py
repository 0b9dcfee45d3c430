"""A sampler whose order depends only on seed and epoch, and that can start within an epoch."""

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
    """Yield :class:`EpochIndex`, from which the transforms derive their random numbers.

    Rank r of R yields every R-th sample of the epoch's order, starting with the r-th. The R batches
    of one iteration together contain the samples that one process with R times the batch size would
    load; row i of rank r is row i R + r of that batch. If R does not divide the number of samples,
    training drops the last samples of the order. Evaluation repeats the first samples, and
    mmengine's evaluator removes the repetitions.

    Args:
        dataset (Sized): The data set.
        shuffle (bool): Whether each epoch has its own order. If false, every pass yields the
            samples in order, as for epoch 0. Defaults to True.
        seed (int, optional): Seed of the run, the same on all ranks; the Runner passes its own.
            Defaults to None, a random seed shared by all ranks.
    """

    def __init__(self, dataset: Sized, shuffle: bool = True, seed: int | None = None) -> None:
        self.rank, self.world_size = get_dist_info()
        self.dataset = dataset
        self.shuffle = shuffle
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self._start = 0

    def __len__(self) -> int:
        """Number of samples that this rank yields in a whole epoch."""
        share = len(self.dataset) / self.world_size
        return math.floor(share) if self.shuffle else math.ceil(share)

    def __iter__(self) -> Iterator[EpochIndex]:
        """Yield this rank's samples of the epoch, starting as set by :meth:`start_at`."""
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
        """Set the epoch of the next pass, from 0."""
        self.epoch = epoch

    def start_at(self, samples: int) -> None:
        """Skip the first samples of this rank in the next pass only, without loading them."""
        self._start = samples
