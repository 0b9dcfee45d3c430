"""How many training samples a second one core loads, from files and from a packed store.

    python tools/benchmarks/loader.py CONFIG --packed DIR [--cfg-options data_root=DIR]

Three measures of the config's pipeline, in samples (for pretraining: pairs of clips) a second:
'pipeline' is the data set alone, in this process; 'loader' the ordinary DataLoader with one worker,
to the collated uint8 batch; 'device' adds the data preprocessor, on this process's device.
Everything runs on one core. With albumentations installed, the released code's loader runs beside
it. Rounds alternate; each loads ``--batches`` batches of the config; figures are medians.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Any

import cv2
import numpy as np
import torch
from command_line import config_of, config_parser
from mmengine.config import Config
from mmengine.dataset import default_collate, pseudo_collate
from mmengine.registry import DATASETS, MODELS
from released_style import ReleasedStyleDataset
from rounds import alternate, ratio
from torch.utils.data import DataLoader, Subset

from echocardmae_mm.cli.arguments import at_least
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.engine import EpochSampler
from echocardmae_mm.utils.counter_rng import EpochIndex
from echocardmae_mm.utils.errors import UserError


def parse_args() -> argparse.Namespace:
    parser = config_parser(__doc__)
    parser.add_argument('--packed', required=True, metavar='DIR', help='the store')
    parser.add_argument('--rounds', type=at_least(2), default=9, help='rounds of each measure')
    parser.add_argument('--batches', type=at_least(1), default=4, help='batches of a round')
    return parser.parse_args()


def measures(config: Config, args: argparse.Namespace) -> dict[str, Callable[[int], object]]:
    """Each way of loading ``--batches`` batches."""
    settings = config.train_dataloader.dataset
    preprocessor = MODELS.build(config.model).data_preprocessor
    ways: dict[str, Callable[[int], object]] = {}
    for source, packed in (('files', ''), ('store', args.packed)):
        dataset = DATASETS.build({**settings, 'packed': packed})
        batches = endless(dataset, config.train_dataloader.batch_size)
        ways[f'{source}, pipeline'] = pipeline(dataset, config, args.batches)
        ways[f'{source}, loader'] = take(batches, args.batches)
        ways[f'{source}, device'] = take(map(preprocessor, batches), args.batches)
    try:
        released = released_loader(config, dataset)
        ways = {'released style': take(released, args.batches), **ways}
    except UserError as error:
        print(f'without the released style: {error}')
    return ways


def pipeline(dataset: RecordingDataset, config: Config, batches: int) -> Callable[[int], object]:
    """The samples of the batches, one after the other, in this process."""
    count = batches * config.train_dataloader.batch_size

    def load(epoch: int) -> None:
        for index in range(count):
            dataset[EpochIndex((epoch * count + index) % len(dataset), epoch, 0)]

    return load


def endless(dataset: RecordingDataset, batch_size: int) -> Iterator[Any]:
    """Batches of the ordinary loader with one worker, epoch after epoch."""
    loader: DataLoader = DataLoader(
        dataset,
        batch_size,
        sampler=EpochSampler(dataset, shuffle=True, seed=0),
        num_workers=1,
        persistent_workers=True,
        drop_last=True,
        collate_fn=default_collate,
    )
    while True:
        yield from loader


def take(batches: Iterator[Any], count: int) -> Callable[[int], object]:
    """Ask for so many batches, and hold none of them."""

    def load(_: int) -> None:
        for _batch in islice(batches, count):
            pass

    return load


def released_loader(config: Config, dataset: RecordingDataset) -> Iterator[Any]:
    """The released code's batches, from one worker."""
    settings = config.model.data_preprocessor
    masks = np.ones(1568, bool), np.zeros(1568, bool)
    theirs = ReleasedStyleDataset(dataset, settings.mean, settings.std, masks)
    batch_size = config.train_dataloader.batch_size
    many = Subset(theirs, list(islice(cycle(range(len(theirs))), 64 * batch_size)))
    return iter(DataLoader(many, batch_size, num_workers=1, collate_fn=pseudo_collate))


@report_user_errors
def main() -> None:
    args = parse_args()
    config = config_of(args)
    if hasattr(os, 'sched_setaffinity'):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with torch.no_grad():
        times = alternate(measures(config, args), args.rounds)
    first = next(iter(times))
    samples = args.batches * config.train_dataloader.batch_size
    for name, seconds in times.items():
        each = np.median(seconds) / samples
        print(f'{name}: {1e3 * each:.2f} ms a sample, {1 / each:.0f} a second')
    for name, seconds in list(times.items())[1:]:
        print(f'{first} / {name}: {ratio(times[first], seconds)}')


if __name__ == '__main__':
    main()
