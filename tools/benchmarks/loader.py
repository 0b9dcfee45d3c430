"""Measure how many training samples per second one core loads from files and from a store.

    python tools/benchmarks/loader.py CONFIG --packed DIR [--cfg-options data_root=DIR]

Prints three rates of the config's pipeline in samples (in pretraining: pairs of clips) per second.
'pipeline' is the data set alone in this process, 'loader' the ordinary DataLoader with one worker
up to the collated uint8 batch, and 'device' adds the data preprocessor on the CPU. All processes
share one core. 'store, pseudo_collate' is the loader with mmengine's usual collate function, which
hands over a tensor per sample. 'same sample, loader' loads one sample and then hands it over again
and again: no pipeline can be faster behind this loader. If albumentations is installed, the loader
of the released code is timed as well.
The variants alternate in rounds of ``--batches`` batches; the rates come from median times.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
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
from torch.utils.data import DataLoader, Dataset, Sampler

from echocardmae_mm.cli.arguments import at_least
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets import stack_clips
from echocardmae_mm.datasets.checks import open_packed
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.utils.counter_rng import EpochIndex
from echocardmae_mm.utils.errors import UserError


def parse_args() -> argparse.Namespace:
    parser = config_parser(__doc__)
    parser.add_argument('--packed', required=True, metavar='DIR', help='the store')
    parser.add_argument('--rounds', type=at_least(2), default=9, help='timed rounds')
    parser.add_argument('--batches', type=at_least(1), default=4, help='batches per round')
    return parser.parse_args()


def loaders(config: Config, args: argparse.Namespace) -> dict[str, Callable[[int], object]]:
    """Build the functions that load ``--batches`` batches in each way."""
    settings = config.train_dataloader.dataset
    batch_size = config.train_dataloader.batch_size
    count = args.batches * batch_size
    preprocessor = MODELS.build(config.model).data_preprocessor
    ways: dict[str, Callable[[int], object]] = {}
    for source, packed in (('files', ''), ('store', args.packed)):
        dataset = DATASETS.build({**settings, 'packed': packed})
        if dataset.store is not None:
            started = time.perf_counter()
            recordings = sum(1 for _ in open_packed(dataset.store))
            each = (time.perf_counter() - started) / recordings
            print(f'checksums, once per run: {1e3 * each:.2f} ms per recording')
        ways[f'{source}, pipeline'] = in_process(dataset, count)
        for name, apply in (('loader', id), ('device', preprocessor)):
            sampler = RoundSampler(dataset, count)
            ways[f'{source}, {name}'] = with_worker(dataset, sampler, batch_size, apply)
    sampler = RoundSampler(dataset, count)
    ways['store, pseudo_collate'] = with_worker(dataset, sampler, batch_size, id, pseudo_collate)
    again = SameSample(dataset)
    ways['same sample, loader'] = with_worker(again, RoundSampler(dataset, count), batch_size, id)
    try:
        ways = {'released style': released_loader(config, dataset, count), **ways}
    except UserError as error:
        print(f'without the released style: {error}')
    return ways


class SameSample(Dataset):
    """The first sample of a data set, for every index."""

    def __init__(self, dataset: RecordingDataset) -> None:
        self.sample = dataset[EpochIndex(0, 0, 0)]

    def __getitem__(self, _: EpochIndex) -> dict[str, Any]:
        return self.sample


class RoundSampler(Sampler):
    """Sample the next recordings in each round.

    Args:
        dataset (RecordingDataset): The data set.
        count (int): Samples per round. Workers do not prefetch beyond them, which would take time
            from the round of another variant.
    """

    def __init__(self, dataset: RecordingDataset, count: int) -> None:
        self.length, self.count, self.round = len(dataset), count, 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[EpochIndex]:
        first = self.round * self.count
        for number in range(first, first + self.count):
            yield EpochIndex(number % self.length, self.round, 0)
        self.round += 1


def in_process(dataset: RecordingDataset, count: int) -> Callable[[int], object]:
    """Load the samples of a round one after another in this process."""
    sampler = RoundSampler(dataset, count)

    def load(_: int) -> None:
        for index in sampler:
            dataset[index]

    return load


def with_worker(
    dataset: Dataset,
    sampler: Sampler,
    batch_size: int,
    apply: Callable[[Any], object],
    collate: Callable[[Any], Any] = stack_clips,
) -> Callable[[int], object]:
    """Load the batches of a round with the ordinary loader and one worker."""
    loader: DataLoader = DataLoader(
        dataset,
        batch_size,
        sampler=sampler,
        num_workers=1,
        persistent_workers=True,
        collate_fn=collate,
    )

    def load(_: int) -> None:
        for batch in loader:
            apply(batch)

    return load


def released_loader(
    config: Config, dataset: RecordingDataset, count: int
) -> Callable[[int], object]:
    """Load the batches of a round as the released code does."""
    settings = config.model.data_preprocessor
    masks = np.ones(1568, bool), np.zeros(1568, bool)
    theirs = ReleasedStyleDataset(dataset, settings.mean, settings.std, masks)
    batch_size = config.train_dataloader.batch_size
    return with_worker(theirs, RoundSampler(dataset, count), batch_size, id, default_collate)


@report_user_errors
def main() -> None:
    args = parse_args()
    config = config_of(args.config, args.cfg_options)
    if hasattr(os, 'sched_setaffinity'):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with torch.no_grad():
        times = alternate(loaders(config, args), args.rounds)
    first = next(iter(times))
    samples = args.batches * config.train_dataloader.batch_size
    for name, seconds in times.items():
        each = np.median(seconds) / samples
        print(f'{name}: {1e3 * each:.2f} ms per sample, {1 / each:.0f} per second')
    for name, seconds in list(times.items())[1:]:
        print(f'{first} / {name}: {ratio(times[first], seconds)}')


if __name__ == '__main__':
    main()
