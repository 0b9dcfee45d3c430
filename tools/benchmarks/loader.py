"""How many training samples a second one core prepares, by each way of reading, in one run.

    python tools/benchmarks/loader.py CONFIG --packed DIR [--cfg-options data_root=DIR]

A round is a batch of the config, from the recordings to tensors that the model computes with,
patches cut out and normalised: decoded from files, read one by one from the store, read at once
from it, and, where albumentations is installed, prepared as the released program does. 'read only'
hands over uint8 frames for a GPU to prepare. The released way has a loading process, as it needs
it, and hands float32 over; the others work in this one. Each round takes the next recordings of
the data set; the store was read through once before. Rounds alternate; figures are medians.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from command_line import config_of, config_parser
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS
from released_style import ReleasedStyleDataset
from rounds import alternate, ratio
from torch.utils.data import DataLoader, Subset

from echocardmae_mm.cli.arguments import at_least
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.utils.counter_rng import EpochIndex
from echocardmae_mm.utils.errors import UserError


def parse_args() -> argparse.Namespace:
    parser = config_parser(__doc__)
    parser.add_argument('--packed', required=True, metavar='DIR', help='the store')
    parser.add_argument('--rounds', type=at_least(2), default=9, help='rounds of each')
    return parser.parse_args()


def readers(config: Config, packed: str) -> dict[str, Callable[[int], object]]:
    """Each way of preparing a batch; every round draws other clips."""
    model = MODELS.build(config.model)
    samples = config.train_dataloader.batch_size
    settings = {**config.train_dataloader.dataset, 'packed': packed, 'batched': False}

    def indices(epoch: int, length: int) -> list[EpochIndex]:
        return [EpochIndex((epoch * samples + i) % length, epoch, 0) for i in range(samples)]

    def one_by_one(**options: str) -> Callable[[int], object]:
        dataset = DATASETS.build({**settings, **options})
        return lambda epoch: ready(
            model, pseudo_collate([dataset[i] for i in indices(epoch, len(dataset))])
        )

    ways = {'files': one_by_one(packed=''), 'store, one by one': one_by_one()}
    try:
        batched = DATASETS.build({**settings, 'batched': True})
    except UserError as error:
        print(f'not read in batches: {error}')
        return ways

    def read(epoch: int) -> dict:
        batch: dict = batched.__getitems__(indices(epoch, len(batched)))
        return batch

    for name in batched.batches.frames.names:
        batched.store.view(name).max()  # Maps its pages, as the first epochs of a schedule do.
    ways['store, at once'] = lambda epoch: ready(model, read(epoch))
    ways['store, read only'] = read
    try:
        ways = {'released style': released(config, batched, samples), **ways}
    except UserError as error:
        print(f'without the released style: {error}')
    return ways


def ready(model: Any, batch: dict) -> object:
    """The tensors that the model computes with."""
    data = model.data_preprocessor(batch)
    if not hasattr(model, 'patches'):
        return data
    inputs = data['inputs']
    seen = model.patches(inputs['imgs'], inputs['visible'])
    return seen, model.patches(inputs['target'], inputs['masked'])


def released(config: Config, dataset: RecordingDataset, samples: int) -> Callable[[int], object]:
    """A batch from one loading process, which has nothing done when it is asked."""
    settings = config.model.data_preprocessor
    masks = np.ones(1568, bool), np.zeros(1568, bool)
    theirs = ReleasedStyleDataset(dataset, settings.mean, settings.std, masks)
    some = Subset(theirs, [index % len(theirs) for index in range(samples)])
    loader = DataLoader(some, samples, num_workers=1, persistent_workers=True)
    return lambda _: list(loader)


@report_user_errors
def main() -> None:
    args = parse_args()
    config = config_of(args)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with torch.no_grad():
        times = alternate(readers(config, args.packed), args.rounds)
    first = next(iter(times))
    for name, seconds in times.items():
        each = np.median(seconds) / config.train_dataloader.batch_size
        print(f'{name}: {1e3 * each:.2f} ms a sample, {1 / each:.0f} a second')
    for name, seconds in list(times.items())[1:]:
        print(f'{first} / {name}: {ratio(times[first], seconds)}')


if __name__ == '__main__':
    main()
