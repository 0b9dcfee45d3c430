"""Time a fine-tuning step in float32 and in mixed precision, the patch embedding both ways.

    python tools/benchmarks/mixed_precision.py configs/ef_echonet.py --batch 4
    python tools/benchmarks/mixed_precision.py configs/phantom/ef_phantom.py --batch 32 \\
        --cfg-options model.cls_head.mean=50 model.cls_head.std=10

The weights are random, the recordings those of the training set; reading them is not timed. A step
comprises the forward pass, the backward pass and the optimizer. The variants alternate in rounds.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable

import numpy as np
import torch
from command_line import config_of, config_parser
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, MODELS
from peers import without_checkpoints
from rounds import alternate, ratio
from step import DEVICE
from torch import nn

from echocardmae_mm.cli.arguments import at_least
from echocardmae_mm.cli.train import use_mixed_precision
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.evaluation.markdown import markdown_table


def parse_args() -> argparse.Namespace:
    parser = config_parser(__doc__)
    parser.add_argument('--batch', type=at_least(2), default=32, help='recordings in a step')
    parser.add_argument('--rounds', type=at_least(2), default=9, help='timed rounds')
    return parser.parse_args()


def step_of(config: Config, batch: dict, amp: bool, convolve: bool) -> Callable[[int], object]:
    """A training step; ``convolve`` embeds patches by torch's convolution."""
    config = copy.deepcopy(config)
    if amp:
        use_mixed_precision(config)
    torch.manual_seed(0)
    model = MODELS.build(without_checkpoints(config.model)).to(DEVICE).train()
    if convolve:
        model.backbone.patch_embed.projection.__class__ = nn.Conv3d
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    return lambda _: model.train_step(copy.copy(batch), wrapper)


@report_user_errors
def main() -> None:
    args = parse_args()
    config = config_of(args.config, args.cfg_options)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    batch = pseudo_collate([dataset[index] for index in range(args.batch)])
    variants = {
        'float32': step_of(config, batch, amp=False, convolve=True),
        'mixed precision': step_of(config, batch, amp=True, convolve=False),
        'mixed precision, convolution': step_of(config, batch, amp=True, convolve=True),
    }
    times = alternate(variants, args.rounds)
    rows = [
        (name, f'{1e3 * np.median(seconds):.0f} ms', ratio(times['float32'], seconds))
        for name, seconds in times.items()
    ]
    print(markdown_table(('variant', 'step', 'float32 / this'), rows))


if __name__ == '__main__':
    main()
