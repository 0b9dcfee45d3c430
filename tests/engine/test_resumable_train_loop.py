"""The data that the loop loads, and its edge cases; test_resume.py has whole runs."""

from __future__ import annotations

import math
import os
import signal

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.runner import CheckpointLoader, Runner
from torch.utils.data import Dataset

from echocardmae_mm.utils.errors import UserError


class Numbers(Dataset):
    """Ten numbers; remembers which were loaded."""

    def __init__(self):
        self.loaded = []

    def __len__(self):
        return 10

    def __getitem__(self, index):
        self.loaded.append(int(index))
        return {'inputs': torch.tensor([float(index)])}


class Line(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, inputs, mode='tensor'):
        output = self.layer(torch.stack(inputs))
        return {'loss': output.square().mean()} if mode == 'loss' else [output]


class Count(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.append(len(data_samples))

    def compute_metrics(self, results):
        return {'count': len(results)}


class Diary(Hook):
    """Records the events of a run."""

    def __init__(self):
        self.notes = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.notes.append((runner.epoch, runner.iter, batch_idx))
        if runner.cfg.get('fails_at') == runner.iter:
            raise RuntimeError('as asked')

    def before_val(self, runner):
        self.notes.append('validation')
        if runner.cfg.get('stops_in_validation'):
            os.kill(os.getpid(), signal.SIGTERM)

    def leave_train(self, runner):
        self.notes.append('left')


@pytest.fixture
def make_runner(tmp_path):
    count = 0

    def make(batch_size=4, sampler='echocardmae_mm.EpochSampler', **settings):
        nonlocal count
        count += 1
        loader = {'batch_size': batch_size, 'num_workers': 0, 'drop_last': True}
        diary = Diary()
        runner = Runner(
            model=Line(),
            work_dir=str(tmp_path),
            train_dataloader={**loader, 'dataset': Numbers(), 'sampler': {'type': sampler}},
            train_cfg={'type': 'echocardmae_mm.ResumableTrainLoop', 'max_epochs': 2},
            val_dataloader={
                **loader,
                'dataset': Numbers(),
                'sampler': {'type': 'echocardmae_mm.EpochSampler', 'shuffle': False},
            },
            val_cfg={},
            val_evaluator=Evaluator(Count()),
            default_hooks={'checkpoint': {'type': 'CheckpointHook', 'interval': 1}},
            custom_hooks=[diary, {'type': 'echocardmae_mm.GracefulStopHook'}],
            experiment_name=f'{tmp_path.name}_{count}',
            log_level='ERROR',
            **{
                'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 0.01}},
                'randomness': {'seed': 1},
                **settings,
            },
        )
        runner.diary = diary.notes
        return runner

    return make


def finish(make_runner, directory, epoch, iteration, **settings):
    """Train from a checkpoint of this epoch and iteration."""
    checkpoint = CheckpointLoader.load_checkpoint(str(directory / 'epoch_1.pth'))
    checkpoint['meta'].update(epoch=epoch, iter=iteration)
    torch.save(checkpoint, directory / 'moved.pth')
    runner = make_runner(load_from=str(directory / 'moved.pth'), resume=True, **settings)
    runner.train()
    return runner


def test_resumes_within_an_epoch_without_loading_earlier_samples(make_runner, tmp_path):
    whole = make_runner()
    whole.train()
    assert whole.diary == [
        (0, 0, 0), (0, 1, 1), 'validation', (1, 2, 0), (1, 3, 1), 'validation', 'left',
    ]  # fmt: skip
    resumed = finish(make_runner, tmp_path, epoch=1, iteration=3)
    assert resumed.diary == [(1, 3, 1), 'validation', 'left']
    seen = whole.train_dataloader.dataset.loaded
    assert resumed.train_dataloader.dataset.loaded == seen[12:16]


def test_resuming_at_the_end_of_an_epoch_runs_the_whole_next_one(make_runner, tmp_path):
    make_runner().train()
    resumed = finish(make_runner, tmp_path, epoch=0, iteration=2)
    assert resumed.diary == ['validation', (1, 2, 0), (1, 3, 1), 'validation', 'left']


def test_repeats_a_validation_that_may_have_been_interrupted(make_runner, tmp_path):
    make_runner().train()
    resumed = finish(make_runner, tmp_path, epoch=1, iteration=2)
    assert resumed.diary == ['validation', (1, 2, 0), (1, 3, 1), 'validation', 'left']
    resumed = finish(make_runner, tmp_path, epoch=2, iteration=4)
    assert resumed.diary == ['validation', 'left']


def test_the_checkpoints_seed_orders_the_samples(make_runner, tmp_path):
    whole = make_runner(randomness={'seed': 1})
    whole.train()
    resumed = finish(make_runner, tmp_path, epoch=1, iteration=2, randomness={'seed': 2})
    assert resumed.train_dataloader.sampler.seed == 1
    seen = whole.train_dataloader.dataset.loaded
    assert resumed.train_dataloader.dataset.loaded == seen[8:]


def test_a_signal_in_validation_exits_and_validates_again(make_runner, tmp_path):
    runner = make_runner(cfg={'stops_in_validation': True})
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(SystemExit) as end:
        runner.train()
    assert end.value.code == 128 + signal.SIGTERM
    assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert runner.diary == [(0, 0, 0), (0, 1, 1), 'validation', 'left']

    last = (tmp_path / 'last_checkpoint').read_text()
    assert last == str(tmp_path / 'interrupted.pth')
    resumed = make_runner(load_from=last, resume=True)
    resumed.train()
    assert resumed.diary == ['validation', (1, 2, 0), (1, 3, 1), 'validation', 'left']


def test_a_signal_waits_for_accumulated_gradients(make_runner, tmp_path):
    runner = make_runner(
        cfg={'stops_in_validation': True},
        optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.01}, 'accumulative_counts': 3},
    )
    with pytest.raises(SystemExit):
        runner.train()
    assert runner.diary == [(0, 0, 0), (0, 1, 1), 'validation', (1, 2, 0), 'left']


def test_leave_train_is_called_if_the_run_fails(make_runner):
    runner = make_runner(cfg={'fails_at': 1})
    with pytest.raises(RuntimeError, match='as asked'):
        runner.train()
    assert runner.diary[-1] == 'left'


def test_refuses_a_set_smaller_than_a_batch(make_runner):
    with pytest.raises(UserError, match='10 recordings, fewer than one batch of 11'):
        make_runner(batch_size=11).train()


def test_refuses_a_checkpoint_of_other_epochs(make_runner, tmp_path):
    make_runner().train()
    with pytest.raises(UserError, match='iteration 3 in epoch 1, which does not fit epochs of 2'):
        finish(make_runner, tmp_path, epoch=0, iteration=3)


def test_cannot_resume_within_an_epoch_with_a_stock_sampler(make_runner, tmp_path):
    make_runner().train()
    with pytest.raises(UserError, match='DefaultSampler cannot start within an epoch'):
        finish(make_runner, tmp_path, epoch=1, iteration=3, sampler='DefaultSampler')


def test_refuses_another_batch_size_even_where_it_would_fit(make_runner, tmp_path):
    make_runner().train()
    with pytest.raises(UserError, match=r'written with 10 .*, 4 in a .* there are 10 .*, 5 in a'):
        finish(make_runner, tmp_path, epoch=0, iteration=1, batch_size=5)


@pytest.mark.parametrize(
    ('epoch', 'iteration', 'warned'), [(0, 1, True), (1, 2, False), (1, 3, True)]
)
def test_a_checkpoint_within_an_accumulation_warns(
    make_runner, tmp_path, monkeypatch, epoch, iteration, warned
):
    twice = {'optimizer': {'type': 'SGD', 'lr': 0.01}, 'accumulative_counts': 2}
    make_runner(optim_wrapper=twice).train()
    warnings = []
    monkeypatch.setattr(MMLogger, 'warning', lambda _, text, *__: warnings.append(text))
    finish(make_runner, tmp_path, epoch, iteration, optim_wrapper=twice)
    assert any('between two updates' in text for text in warnings) == warned


def test_a_schedule_of_the_configs_ends_with_the_training(make_runner):
    rates = []

    class Record(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            rates.append(runner.optim_wrapper.param_groups[0]['lr'])

    _, cosine = Config.fromfile('configs/phantom/seg_phantom.py').param_scheduler
    runner = make_runner(batch_size=1, param_scheduler=[cosine])
    runner.register_hook(Record())
    runner.train()
    assert len(rates) == 20
    for iteration, rate in enumerate(rates):
        assert rate == pytest.approx(0.005 * (1 + math.cos(math.pi * iteration / 20)))
