"""A fault of the validation ends a run before it trains; a sound one changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import METRICS
from mmengine.runner import Runner, ValLoop
from torch.utils.data import Dataset

from echocardmae_mm.utils.errors import RecordingError, UserError


class Draws(Dataset):
    """Ten samples that draw from numpy's global generator, as stock transforms do."""

    def __len__(self):
        return 10

    def __getitem__(self, index):
        return {'inputs': torch.tensor([index + np.random.rand()])}  # noqa: NPY002


class Damaged(Draws):
    def __getitem__(self, index):
        if index == 0:
            raise RecordingError('a.avi', 'the file is empty')
        return super().__getitem__(index)


class AllDamaged(Draws):
    def __getitem__(self, index):
        raise RecordingError(f'{"abcdefghij"[index]}.avi', 'the file is empty')


class Line(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Sequential(torch.nn.BatchNorm1d(1), torch.nn.Linear(1, 1))
        self.steps = 0

    def forward(self, inputs, mode='tensor'):
        inputs = torch.stack(inputs).float()
        if mode == 'loss':
            self.steps += 1
            return {'loss': (self.layer(inputs) * torch.rand(1)).square().mean()}
        return [self.layer(row + torch.rand(1))[0] for row in inputs.split(1)]


class Narrow(Line):
    def forward(self, inputs, mode='tensor'):
        if mode == 'predict':
            raise ValueError('expects 3 channels\nnot 1')
        return super().forward(inputs, mode)


@METRICS.register_module()
class SumOfAll(BaseMetric):
    """A metric with a state of its own, and a random number in each result."""

    def __init__(self):
        super().__init__()
        self.total = 0.0

    def process(self, data_batch, data_samples):
        self.total += float(sum(data_samples))
        self.results.append(self.total + float(torch.rand(1)))

    def compute_metrics(self, results):
        return {'sum': sum(results)}


@METRICS.register_module()
class NeedsNames(SumOfAll):
    def process(self, data_batch, data_samples):
        raise KeyError('filename')


class Metrics(Hook):
    def __init__(self):
        self.seen = []

    def after_val_epoch(self, runner, metrics=None):
        self.seen.append(metrics)


@pytest.fixture
def make_runner(tmp_path):
    count = 0

    def make(checked=True, model=Line, val=Draws, metric='SumOfAll', **settings):
        nonlocal count
        count += 1
        loader = dict(batch_size=4, num_workers=0)
        validation = dict(
            val_dataloader=dict(loader, dataset=val(), sampler=dict(type='DefaultSampler')),
            val_cfg={},
            val_evaluator=dict(type=metric),
        )
        metrics = Metrics()
        hooks = [dict(type='echocardmae_mm.ValidationCheckHook')] * checked
        torch.manual_seed(0)
        runner = Runner(
            model=model(),
            work_dir=str(tmp_path / str(count)),
            train_dataloader=dict(loader, dataset=Draws(), sampler=dict(type='DefaultSampler')),
            train_cfg=dict(by_epoch=True, max_epochs=2),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
            custom_hooks=[metrics, *hooks],
            randomness=dict(seed=1),
            experiment_name=f'{tmp_path.name}_{count}',
            log_level='ERROR',
            **{**validation, **settings},
        )
        runner.metrics = metrics.seen
        return runner

    return make


@pytest.mark.parametrize(
    ('fault', 'message'),
    [
        (dict(val=Damaged), r'^the first validation sample fails: a\.avi: the file is empty$'),
        (dict(model=Narrow), r'sample fails: ValueError: expects 3 channels \(.*hook\.py, line'),
        (dict(metric='NeedsNames'), r"sample fails: KeyError: 'filename' .*\nCorrect val_data"),
    ],
    ids=['data', 'model', 'metric'],
)
def test_a_fault_ends_the_run_before_it_trains(make_runner, fault, message):
    runner = make_runner(**fault)
    with pytest.raises(UserError, match=message) as error:
        runner.train()
    assert len(str(error.value).splitlines()) <= 2
    assert runner.model.steps == 0


SKIPPING = dict(val_cfg=dict(type='echocardmae_mm.SkippingValLoop'))


def test_the_loop_of_the_packaged_configs_is_checked_on_what_it_uses(make_runner):
    make_runner(val=Damaged, **SKIPPING).train()
    runner = make_runner(val=Damaged, model=Narrow, **SKIPPING)
    with pytest.raises(UserError, match='sample fails: ValueError: expects 3 channels'):
        runner.train()
    assert runner.model.steps == 0


def test_a_validation_set_without_a_usable_recording_ends_the_run(make_runner):
    runner = make_runner(val=AllDamaged, **SKIPPING)
    with pytest.raises(UserError, match=r'a\.avi: the file is empty\nNo other recording'):
        runner.train()
    assert runner.model.steps == 0


def test_weights_statistics_and_metrics_stay_the_same(make_runner):
    runners = []
    for is_checked in (False, True):
        runners.append(make_runner(is_checked))  # seeds the global generators
        runners[-1].train()
    plain, checked = runners
    assert checked.metrics == plain.metrics
    assert len(checked.metrics) == 2
    for name, value in plain.model.state_dict().items():
        assert torch.equal(checked.model.state_dict()[name], value), name


def test_a_resumed_run_is_checked_too(make_runner):
    first = make_runner()
    first.train()
    checkpoint = f'{first.work_dir}/epoch_1.pth'
    runner = make_runner(metric='NeedsNames', resume=True, load_from=checkpoint)
    with pytest.raises(UserError, match='the first validation sample fails'):
        runner.train()


class OwnLoop(ValLoop):
    def run_iter(self, idx, data_batch):
        pass


def test_nothing_to_check(make_runner):
    nothing = dict(val_dataloader=None, val_cfg=None, val_evaluator=None)
    make_runner(**nothing).train()
    runner = make_runner(val=Damaged)
    runner._val_loop = OwnLoop(runner, runner._val_dataloader, runner._val_evaluator)
    with pytest.raises(UserError, match=r'^a\.avi'):
        runner.train()
