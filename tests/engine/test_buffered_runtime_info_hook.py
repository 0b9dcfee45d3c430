"""The log is that of mmengine's own hook; the cost is not."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmengine.runner import CheckpointLoader, Runner
from torch.utils.data import TensorDataset

from echocardmae_mm.engine import BufferedRuntimeInfoHook

BUFFERED, STOCK = 'echocardmae_mm.BufferedRuntimeInfoHook', 'RuntimeInfoHook'


class Noise(BaseModel):
    """Its loss is another at each step."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, inputs, mode):
        return {'loss': inputs.sum() * self.weight, 'acc': inputs.mean()}


def train(work_dir: Path, hook: str, iterations=27, interval=5, log=(), **options) -> Runner:
    torch.manual_seed(0)
    work_dir.mkdir(exist_ok=True)
    data = TensorDataset(torch.randn(iterations))
    runner = Runner(
        model=Noise(),
        work_dir=str(work_dir),
        experiment_name=uuid4().hex,
        train_dataloader=dict(
            dataset=data,
            batch_size=1,
            num_workers=0,
            sampler=DefaultSampler(data, shuffle=False),
            collate_fn=lambda batch: {'inputs': batch[0][0]},
        ),
        train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1e-3)),
        default_hooks=dict(
            runtime_info=dict(type=hook, **options),
            logger=dict(type='LoggerHook', interval=interval),
            checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=7),
        ),
        log_processor=dict(type='LogProcessor', window_size=4, custom_cfg=list(log)),
        log_level='WARNING',
    )
    runner.train()
    return runner


def logged(work_dir: Path) -> list[dict]:
    (file,) = work_dir.glob('*/vis_data/scalars.json')
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return [{k: v for k, v in row.items() if 'time' not in k and k != 'memory'} for row in rows]


def test_the_log_equals_that_of_the_stock_hook(tmp_path):
    stock, buffered = (train(tmp_path / name, name) for name in (STOCK, BUFFERED))
    rows = logged(tmp_path / BUFFERED)
    assert len(rows) >= 10
    assert rows == logged(tmp_path / STOCK)
    for name in ('train/loss', 'train/acc', 'train/lr'):
        ours, theirs = (runner.message_hub.get_scalar(name).data for runner in (buffered, stock))
        np.testing.assert_array_equal(ours, theirs)


def test_a_checkpoint_between_two_logs_contains_every_loss(tmp_path):
    for name in (STOCK, BUFFERED):
        train(tmp_path / name, name, iterations=24, interval=20)
    stock, buffered = (
        CheckpointLoader.load_checkpoint(str(tmp_path / name / 'iter_42.pth'))
        for name in (STOCK, BUFFERED)
    )
    ours, theirs = (
        checkpoint['message_hub']['log_scalars']['train/loss'].data
        for checkpoint in (buffered, stock)
    )
    assert len(ours[0]) == 42
    np.testing.assert_array_equal(ours, theirs)


def test_losses_are_read_when_the_log_is_written(tmp_path, monkeypatch):
    asked = []
    valid = MessageHub._get_valid_value

    def spy(self, value):
        asked.append(isinstance(value, torch.Tensor))
        return valid(self, value)

    monkeypatch.setattr(MessageHub, '_get_valid_value', spy)
    train(tmp_path / 'buffered', BUFFERED)
    assert asked
    assert not any(asked)
    train(tmp_path / 'stock', STOCK)
    assert any(asked)


@pytest.mark.parametrize(('window', 'kept'), [(4, 30), (41, 41), ('global', 54)])
def test_history_is_limited_to_the_log_window(tmp_path, window, kept):
    looked_at = dict(data_src='loss', method_name='mean', window_size=window)
    runner = train(tmp_path / 'run', BUFFERED, log=[looked_at], history=30)
    assert len(runner.message_hub.get_scalar('train/loss').data[0]) == kept


def test_losses_on_several_devices_are_detached(tmp_path):
    runner = train(tmp_path / 'run', BUFFERED)
    hook = next(hook for hook in runner.hooks if isinstance(hook, BufferedRuntimeInfoHook))
    weight = torch.nn.Parameter(torch.ones(()))
    outputs = {'loss': weight * 2, 'acc': 0.5, 'share': np.float64(0.25)}
    hook.after_train_iter(runner, 1, outputs=outputs)
    assert not any(getattr(v, 'requires_grad', False) for v in hook._buffer[-1].values())
    hook.after_train(runner)
    for name, value in {'loss': 2, 'acc': 0.5, 'share': 0.25}.items():
        assert runner.message_hub.get_scalar(f'train/{name}').current() == value
