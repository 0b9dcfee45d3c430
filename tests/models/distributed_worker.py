"""One process of a distributed training step; test_echocardmae_distributed.py starts two.

Usage: torchrun --nproc_per_node 2 distributed_worker.py CASES RESULTS
"""

import sys

import torch
from mmengine.model import MMDistributedDataParallel

import echocardmae_mm  # noqa: F401
from echocardmae_mm.models.clip_pair_preprocessor import TokenIndices
from echocardmae_mm.registry import MODELS


def share_of(inputs: dict, rank: int) -> dict:
    """The videos of one of two processes: half of the first clips, half of the second."""

    def half(value: torch.Tensor) -> torch.Tensor:
        first, second = value.chunk(2)
        return torch.cat((first.chunk(2)[rank], second.chunk(2)[rank]))

    return {name: half(value) for name, value in inputs.items()}


def as_inputs(tensors: dict) -> dict:
    """Inputs of the model from plain tensors, which are all that ``weights_only`` loads."""
    clips = {name: tensors[name] for name in ('imgs', 'target')}
    tokens = TokenIndices(*(tensors[name] for name in ('visible', 'masked', 'background')))
    return {**clips, 'tokens': tokens}


def step(case: dict) -> dict:
    """Losses, averaged over the processes, and gradients, as DDP leaves them."""
    model = MODELS.build(case['model'])
    model.load_state_dict(case['state'])
    model = MMDistributedDataParallel(module=model)
    rank = torch.distributed.get_rank()
    losses = model(as_inputs(share_of(case['inputs'], rank)), mode='loss')
    sum(losses.values()).backward()
    for name, value in losses.items():
        losses[name] = value.detach() / 2
        torch.distributed.all_reduce(losses[name])
    gradients = {
        name: value.grad for name, value in model.module.named_parameters() if value.requires_grad
    }
    return {'losses': losses, 'gradients': gradients}


if __name__ == '__main__':
    torch.distributed.init_process_group('gloo')
    results = [step(case) for case in torch.load(sys.argv[1], weights_only=True)]
    if torch.distributed.get_rank() == 0:
        torch.save(results, sys.argv[2])
    torch.distributed.destroy_process_group()
