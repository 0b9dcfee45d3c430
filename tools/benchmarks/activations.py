"""How much memory autograd keeps for a pretraining step, counted, whatever device is at hand.

    python tools/benchmarks/activations.py configs/pretrain_echo.py --scaled-to 64

Every tensor that the backward pass waits for is counted once, parameters left out, under float32
and under bfloat16 by the autocast rules of CPUs, with fused attention as a GPU has it, by the
released way of working and by this one, whole and with the decoder in chunks, of which one is there
again at a time. Two small batches give what grows with the batch and what does not.
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
    parser.add_argument('--chunks', type=at_least(1), default=8, help='decoder_chunks')
    parser.add_argument(
        '--scaled-to', type=at_least(1), default=64, help='batch that is asked about'
    )
    return parser.parse_args()


def kept_bytes(forward: Callable[[], object], parameters: list[Tensor]) -> int:
    """Bytes of the memory that the graph of a forward pass holds."""
    known = {parameter.untyped_storage().data_ptr() for parameter in parameters}
    storages: dict[int, torch.UntypedStorage] = {}

    def note(tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            storages[storage.data_ptr()] = storage  # held, so that no other takes its place

    # No backward pass follows, so nothing need be handed back.
    with torch.autograd.graph.saved_tensors_hooks(note, lambda nothing: nothing):
        forward()
    return sum(storage.nbytes() for storage in storages.values())


def kept_by_way(config: Config, model: EchoCardMAE, size: int, chunks: int) -> np.ndarray:
    """Bytes of each way of working, in float32 and in bfloat16, (3, 2)."""
    batch = noise(config, size)
    inputs = model.data_preprocessor(batch)['inputs']
    theirs, released = ReleasedStyleStep(model), as_released(model, batch)

    def ours(decoder_chunks: int) -> Callable[[], object]:
        def forward() -> object:
            model.decoder_chunks = decoder_chunks
            return model.loss(inputs)

        return forward

    kept = np.empty((3, 2))
    for way, forward in enumerate((lambda: theirs(released), ours(1), ours(chunks))):
        for low in (False, True):
            with torch.autocast('cpu', torch.bfloat16, enabled=low):
                kept[way, int(low)] = kept_bytes(forward, list(model.parameters()))
    kept[2] += (kept[1] - kept[2]) / chunks
    return kept


@report_user_errors
def main() -> None:
    args = parse_args()
    config = pretraining_config_of(args)
    model = MODELS.build(config.model)
    with patch.object(FusedAttention, '_attend_explicitly', FusedAttention._attend):
        small, large = (
            kept_by_way(config, model, size, args.chunks) for size in (args.batch, 2 * args.batch)
        )
    scaled = small + (large - small) * (args.scaled_to - args.batch) / args.batch
    names = 'released style', 'ours', f'ours, decoder in {args.chunks} chunks'
    rows = [(name, *(f'{kept / 1e9:.1f} GB' for kept in row)) for name, row in zip(names, scaled)]
    header = (f'kept for {args.scaled_to} recordings', 'float32', 'bfloat16')
    print(markdown_table(header, rows))


if __name__ == '__main__':
    main()
