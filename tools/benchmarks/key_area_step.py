"""What key area masking saves of a training step (section 2.2: "improve training efficiency").

    python tools/benchmarks/key_area_step.py configs/pretrain_echo.py --batch 8

The same model takes whole steps (both clips forward, backward, optimizer) with masks inside the
sector and over the whole frame, in rounds that alternate; figures are medians over rounds. The
pictures are noise: only their number of tokens matters.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, init_default_scope

sys.path.insert(0, str(Path(__file__).parents[1]))
from launch import add_common_arguments, load_config, no_traceback_for_mistakes, override

from echocardmae_mm.draws import EpochIndex

SECTORS = {'key area': 'template', 'whole frame': 'none'}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='path of a pretraining config')
    parser.add_argument('--batch', type=int, default=8, help='recordings, of two clips each')
    parser.add_argument('--rounds', type=int, default=9, help='rounds of each')
    parser.add_argument('--work-dir', help=argparse.SUPPRESS)
    add_common_arguments(parser)
    return parser.parse_args()


def batch_of(config: Config, sector: str, size: int) -> dict:
    """Noise with the config's targets and masks."""
    steps = config.train_dataloader.dataset.pipeline
    formatted = next(i for i, step in enumerate(steps) if step['type'].endswith('FormatShape'))
    mask = next(step for step in steps if step['type'].endswith('SectorMask'))
    mask.sector = sector
    pipeline = Compose(steps[formatted + 1 :])
    backbone = config.model.backbone
    shape = (2, 3, backbone.num_frames, backbone.img_size, backbone.img_size)
    generator = np.random.default_rng(0)
    return pseudo_collate(
        [
            pipeline(
                {
                    'imgs': generator.integers(0, 255, shape, dtype=np.uint8),
                    'img_shape': shape[-2:],
                    'filename': f'noise {index}',
                    'sample_idx': EpochIndex(index, 0, 0),
                }
            )
            for index in range(size)
        ]
    )


def main() -> None:
    with no_traceback_for_mistakes():
        args = parse_args()
        config = load_config(args)
        override(config, args.cfg_options)
        init_default_scope(config.default_scope)
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
        model = MODELS.build(config.model).to(device)
        optimizer = build_optim_wrapper(model, config.optim_wrapper)
        batches = {name: batch_of(config, sector, args.batch) for name, sector in SECTORS.items()}
        times: dict[str, list[float]] = {name: [] for name in batches}
        for _ in range(args.rounds + 1):
            for name, batch in batches.items():
                started = time.perf_counter()
                loss = model.train_step(batch, optimizer)['loss']
                loss.item()  # waits for the device
                times[name].append(time.perf_counter() - started)
        for name, values in times.items():
            print(f'{name}: {1e3 * np.median(values[1:]):.1f} ms a step')
        ratios = np.divide(times['whole frame'][1:], times['key area'][1:])
        print(
            f'whole frame / key area: {np.median(ratios):.2f} '
            f'({ratios.min():.2f} to {ratios.max():.2f})'
        )


if __name__ == '__main__':
    main()
