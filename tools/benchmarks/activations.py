"""Compute the memory that autograd keeps during a pretraining step, on any device.

    python tools/benchmarks/activations.py configs/pretrain_echo.py --scaled-to 64

Counts each tensor that is saved for the backward pass once, without parameters: in float32 and in
bfloat16 (by the autocast rules of CPUs), with fused attention as on a GPU, for the released code
and for ours, with and without checkpointed decoder blocks, which are recomputed one at a time. Two
small batches separate the part that grows with the batch from the rest.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import torch
from command_line import config_parser, pretraining_config_of
from mmengine.config import Config
from mmengine.registry import MODELS
from released_style import ReleasedStyleStep
from step import as_released, noise
from torch import Tensor

from echocardmae_mm.cli.arguments import at_least
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.models import EchoCardMAE
from echocardmae_mm.models.fused_attention import FusedAttention


def parse_args() -> argparse.Namespace:
    parser = config_parser(__doc__)
    parser.add_argument(
        '--batch', type=at_least(1), default=2, help='recordings of the smaller batch'
    )
    parser.add_argument(
        '--scaled-to', type=at_least(1), default=64, help='batch for which to report the memory'
    )
    return parser.parse_args()


def kept_bytes(forward: Callable[[], object], parameters: list[Tensor]) -> int:
    """Bytes of the memory that the graph of a forward pass holds."""
    known = {parameter.untyped_storage().data_ptr() for parameter in parameters}
    storages: dict[int, torch.UntypedStorage] = {}

    def note(tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            storages[storage.data_ptr()] = storage  # kept alive, so that its address stays unique

    # No backward pass follows, so the unpack hook may return anything.
    with torch.autograd.graph.saved_tensors_hooks(note, lambda nothing: nothing):
        forward()
    return sum(storage.nbytes() for storage in storages.values())


def kept_by_variant(config: Config, model: EchoCardMAE, size: int) -> np.ndarray:
    """Bytes that each variant keeps, in float32 and in bfloat16, (3, 2)."""
    batch = noise(config, size)
    inputs = model.data_preprocessor(batch)['inputs']
    theirs, released = ReleasedStyleStep(model), as_released(model, batch)

    def ours(with_cp: bool) -> Callable[[], object]:
        def forward() -> object:
            model.neck.with_cp = with_cp
            return model.loss(inputs)

        return forward

    kept = np.empty((3, 2))
    for variant, forward in enumerate((lambda: theirs(released), ours(False), ours(True))):
        for low in (False, True):
            with torch.autocast('cpu', torch.bfloat16, enabled=low):
                kept[variant, int(low)] = kept_bytes(forward, list(model.parameters()))
    # While a block is differentiated, its own activations are in memory again.
    kept[2] += (kept[1] - kept[2]) / len(model.neck.blocks)
    return kept


@report_user_errors
def main() -> None:
    args = parse_args()
    config = pretraining_config_of(args)
    model = MODELS.build(config.model)
    with patch.object(FusedAttention, '_attend_explicitly', FusedAttention._attend):
        small, large = (kept_by_variant(config, model, n) for n in (args.batch, 2 * args.batch))
    scaled = small + (large - small) * (args.scaled_to - args.batch) / args.batch
    names = 'released style', 'ours', 'ours, neck.with_cp=True'
    rows = [(name, *(f'{kept / 1e9:.1f} GB' for kept in row)) for name, row in zip(names, scaled)]
    header = (f'kept for {args.scaled_to} recordings', 'float32', 'bfloat16')
    print(markdown_table(header, rows))


if __name__ == '__main__':
    main()
