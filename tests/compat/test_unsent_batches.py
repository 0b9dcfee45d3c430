"""A batch that a worker cannot send ends the run; before, the loader waited forever."""

from __future__ import annotations

import resource

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

import echocardmae_mm  # noqa: F401


class TooLarge(Dataset):
    """Tensors beyond the limit that the worker sets for shared memory."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        return torch.zeros(10 if index == 0 else 10_000)


class Unpicklable(TooLarge):
    def __getitem__(self, index):
        return lambda: index


def batches(dataset):
    yield from DataLoader(dataset, batch_size=None, num_workers=1, timeout=60)


def test_shared_memory_that_is_too_small_raises():
    loaded = batches(TooLarge())
    assert len(next(loaded)) == 10
    with pytest.raises(RuntimeError, match=r'unable to .* file </torch_'):
        next(loaded)


def test_a_sample_that_cannot_be_pickled_raises():
    with pytest.raises(Exception, match=r'pickle|local object'):
        next(batches(Unpicklable()))
