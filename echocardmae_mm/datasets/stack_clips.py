"""Collate clips for pretraining."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.utils.data import default_collate

from echocardmae_mm.registry import FUNCTIONS


@FUNCTIONS.register_module()
def stack_clips(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Stack the inputs of samples in the order of their memory.

    ``mmaction.FormatShape`` moves the channels of a clip to the front, but not in memory. Stacking
    the clips as they are would reorder every pixel in the worker, which takes longer than a copy.

    Args:
        samples (Sequence[dict]): ``inputs``, a dict of tensors whose shapes are the same in all
            samples, and ``data_samples``.

    Returns:
        dict: ``inputs`` with a new first axis and otherwise the strides of the samples, and the
        list of ``data_samples``.
    """
    names = samples[0]['inputs']
    return {
        'inputs': {name: _stack([sample['inputs'][name] for sample in samples]) for name in names},
        'data_samples': [sample['data_samples'] for sample in samples],
    }


def _stack(tensors: Sequence[Tensor]) -> Tensor:
    first = tensors[0]
    order = sorted(range(first.dim()), key=first.stride, reverse=True)
    # In a worker, default_collate stacks into shared memory.
    stacked: Tensor = default_collate([tensor.permute(order) for tensor in tensors])
    return stacked.permute(0, *(1 + order.index(axis) for axis in range(first.dim())))
