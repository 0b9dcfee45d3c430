"""How long one core takes for a training sample, from files and from a store, in one run.

    python tools/benchmarks/loader.py CONFIG --packed DIR [--cfg-options data_root=DIR]

The rounds alternate between the two; the figures are medians over rounds.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS, init_default_scope

sys.path.insert(0, str(Path(__file__).parents[1]))
from launch import add_common_arguments, load_config, no_traceback_for_mistakes, override

from echocardmae_mm.draws import EpochIndex


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='path of the config whose training set is read')
    parser.add_argument('--packed', required=True, metavar='DIR', help='the store')
    parser.add_argument('--rounds', type=int, default=9, help='rounds of each')
    parser.add_argument('--samples', type=int, default=40, help='samples in a round')
    parser.add_argument('--work-dir', help=argparse.SUPPRESS)
    add_common_arguments(parser)
    return parser.parse_args()


def milliseconds(dataset: BaseDataset, epoch: int, samples: int) -> float:
    """Time of a sample; every round draws other clips of the same recordings."""
    started = time.perf_counter()
    for index in range(samples):
        dataset[EpochIndex(index % len(dataset), epoch, 0)]
    return (time.perf_counter() - started) / samples * 1e3


def main() -> None:
    with no_traceback_for_mistakes():
        args = parse_args()
        config = load_config(args)
        override(config, args.cfg_options)
        cv2.setNumThreads(1)
        torch.set_num_threads(1)
        init_default_scope(config.default_scope)
        dataset = config.train_dataloader.dataset
        readers = {
            'files': DATASETS.build({**dataset, 'packed': ''}),
            'store': DATASETS.build({**dataset, 'packed': args.packed}),
        }
        times: dict[str, list[float]] = {name: [] for name in readers}
        for epoch in range(args.rounds + 1):
            for name, reader in readers.items():
                times[name].append(milliseconds(reader, epoch, args.samples))
        medians = {name: float(np.median(values[1:])) for name, values in times.items()}
        ratios = np.divide(times['files'][1:], times['store'][1:])
        for name, median in medians.items():
            print(f'{name}: {median:.2f} ms a sample, {1e3 / median:.0f} a second and core')
        print(f'files / store: {np.median(ratios):.1f} ({ratios.min():.1f} to {ratios.max():.1f})')


if __name__ == '__main__':
    main()
