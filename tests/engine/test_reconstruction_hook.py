"""Plots of held-out clips, and the mean of the training set as a baseline."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS
from mmengine.runner import Runner

from echocardmae_mm.engine import ReconstructionHook, TrainingMeanHook
from echocardmae_mm.engine.reconstruction_hook import training_mean
from echocardmae_mm.evaluation import ReconstructionMetric
from echocardmae_mm.utils.counter_rng import EpochIndex

CONFIG = Path(__file__).with_name('tiny_pretraining.py')


@pytest.fixture
def runner(recordings, tmp_path):
    """A run on 13 recordings, of which the held-out ones are tested."""
    config = Config.fromfile(CONFIG)
    config.work_dir, config.experiment_name = str(tmp_path), tmp_path.name
    config.train_dataloader.dataset.data_root = str(recordings)
    held_out = dict(config.train_dataloader, drop_last=False)
    held_out['sampler'] = dict(type='echocardmae_mm.EpochSampler', shuffle=False)
    held_out['dataset'] = dict(held_out['dataset'], test_mode=True)
    config.val_dataloader = config.test_dataloader = held_out
    config.val_evaluator = config.test_evaluator = dict(type='echocardmae_mm.ReconstructionMetric')
    config.val_cfg = config.test_cfg = {}
    config.param_scheduler = None
    config.train_cfg.update(max_epochs=1)
    config.custom_hooks = [
        dict(type='echocardmae_mm.ReconstructionHook', videos=3),
        dict(type='echocardmae_mm.TrainingMeanHook'),
    ]
    return Runner.from_cfg(config)


def test_plots_the_first_validation_videos(runner, tmp_path):
    runner.train()
    drawn = sorted(path.name for path in (tmp_path / 'pictures').iterdir())
    assert drawn == [f'0{index}_epoch_1.png' for index in range(3)]


def test_a_damaged_validation_video_is_skipped(recordings, runner, tmp_path):
    folder = shutil.copytree(recordings, tmp_path / 'recordings')
    (folder / '01.avi').write_bytes(b'damaged')
    config = runner.cfg
    config.val_dataloader.dataset.data_root = str(folder)
    config.val_cfg = dict(type='echocardmae_mm.SkippingValLoop')
    config.experiment_name += '_damaged'
    runner = Runner.from_cfg(config)
    runner.train()
    drawn = sorted(path.name for path in (tmp_path / 'pictures').iterdir())
    assert drawn == [f'{index:02d}_epoch_1.png' for index in (0, 2, 3)]
    assert runner.message_hub.get_scalar('val/reconstruction/mse').current() > 0


def test_plots_training_videos_without_a_validation_set(runner):
    runner._val_loop = None
    hook = ReconstructionHook(videos=2)
    names = [Path(sample.filename).name for sample in hook._predict(runner)]
    assert names == ['00.avi', '01.avi']
    again = [sample.masked for sample in hook._predict(runner)]
    assert all(torch.equal(a.masked, b) for a, b in zip(hook._predict(runner), again))


def test_damaged_recordings_are_skipped_without_a_validation_set(recordings, runner, tmp_path):
    folder = shutil.copytree(recordings, tmp_path / 'recordings')
    for name in ('00.avi', '01.avi'):
        (folder / name).write_bytes(b'damaged')
    config = runner.cfg
    config.train_dataloader.dataset.data_root = str(folder)
    config.update(val_dataloader=None, val_evaluator=None, val_cfg=None)
    config.experiment_name += '_damaged'
    Runner.from_cfg(config).train()
    drawn = sorted(path.name for path in (tmp_path / 'pictures').iterdir())
    assert len(drawn) == 3
    assert not {'00_epoch_1.png', '01_epoch_1.png'} & set(drawn)


def test_a_test_compares_with_the_mean_of_the_training_set(runner):
    metrics = runner.test()
    assert metrics['reconstruction/mse_train_mean'] > 0
    (metric,) = runner.test_evaluator.metrics
    assert '| mean of the training set' in metric.report()

    dataset = DATASETS.build(runner.cfg.train_dataloader.dataset)
    preprocess = runner.model.data_preprocessor
    targets = []
    for index in range(len(dataset)):
        sample = dataset[EpochIndex(index, 0, 0)]
        inputs = {name: [value] for name, value in sample['inputs'].items()}
        targets.append(preprocess({'inputs': inputs})['inputs']['target'])
    mean = torch.cat(targets).double().mean(0).float()
    assert torch.equal(metric.train_mean, mean)


def test_workers_give_the_same_mean(runner):
    loader = runner.cfg.train_dataloader
    alone = training_mean(runner.model, loader)
    assert torch.equal(alone, training_mean(runner.model, {**loader, 'num_workers': 2}))


def test_without_a_training_set_there_is_no_mean(runner):
    runner.cfg.train_dataloader = None
    TrainingMeanHook().before_test(runner)
    (metric,) = runner.test_evaluator.metrics
    assert isinstance(metric, ReconstructionMetric)
    assert metric.train_mean is None
