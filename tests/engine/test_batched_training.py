"""Trained from batches of a store, a model ends with the weights that samples give."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

CONFIG = Path(__file__).parent / 'tiny_pretraining.py'
BATCHED = dict(collate_fn=dict(type='echocardmae_mm.whole_batch'))


@pytest.fixture(scope='module')
def recordings(tmp_path_factory, make_video, pack_folder) -> dict[str, str]:
    root = tmp_path_factory.mktemp('recordings')
    for index in range(9):
        make_video(root / f'{index}.avi', 20 + index, seed=index, size=(32, 32))
    store = pack_folder(root, tmp_path_factory.mktemp('stores') / 'store')
    return dict(data_root=str(root), packed=store)


def trained(work_dir: Path, loader: dict, resume: str | None = None, **dataset) -> dict:
    config = Config.fromfile(CONFIG)
    steps = config.train_dataloader.dataset.pipeline
    del steps[next(i for i, step in enumerate(steps) if step.type == 'mmaction.Flip')]
    config.train_dataloader.update(loader)
    config.train_dataloader.dataset.update(dataset)
    config.update(work_dir=str(work_dir), experiment_name=uuid4().hex)
    config.update(resume=resume is not None, load_from=resume)
    return Runner.from_cfg(config).train().state_dict()


@pytest.fixture(scope='module')
def expected(recordings, tmp_path_factory) -> dict:
    return trained(tmp_path_factory.mktemp('plain'), {}, **recordings)


@pytest.mark.parametrize(
    ('loader', 'dataset'),
    [
        ({}, dict(batched=True)),
        ({}, dict(resident='device')),
        (dict(num_workers=2), dict(batched=True)),
    ],
    ids=['read ahead', 'resident', 'workers'],
)
def test_the_weights_are_those_of_samples(recordings, expected, tmp_path, loader, dataset):
    ours = trained(tmp_path, {**BATCHED, **loader}, **recordings, **dataset)
    for name, value in expected.items():
        assert torch.equal(ours[name], value), name


def test_resumed_inside_an_epoch(recordings, expected, tmp_path):
    for work_dir in (tmp_path / 'first', tmp_path / 'resumed'):
        resume = None if work_dir.name == 'first' else str(tmp_path / 'first' / 'iter_8.pth')
        ours = trained(work_dir, BATCHED, resume, **recordings, batched=True)
    for name, value in expected.items():
        assert torch.equal(ours[name], value), name
