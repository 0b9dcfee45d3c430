"""Schedules follow the length of the training."""

import pytest
from mmengine.config import Config

from echocardmae_mm.reproduction.scaled_schedule import scaled_schedule

WHOLE = dict(
    train_cfg=dict(max_epochs=100, val_interval=10),
    default_hooks=dict(checkpoint=dict(interval=5)),
    param_scheduler=[
        dict(type='LinearLR', by_epoch=False, begin=0, end=50),
        dict(type='CosineAnnealingLR', T_max=90, begin=10, end=100),
    ],
)


def scaled(**factors: float) -> Config:
    config = Config(WHOLE)
    config.merge_from_dict(scaled_schedule(config, **factors))
    return config


def test_nothing_changes_without_a_factor():
    assert scaled_schedule(Config(WHOLE), epochs=1) == {}


def test_a_longer_training_validates_and_saves_as_often():
    config = scaled(epochs=3, steps=0.5)
    assert config.train_cfg == dict(max_epochs=300, val_interval=30)
    assert config.default_hooks.checkpoint.interval == 15
    warm_up, cosine = config.param_scheduler
    assert (warm_up.begin, warm_up.end) == (0, 25)
    assert (cosine.T_max, cosine.begin, cosine.end) == (270, 30, 300)


def test_a_single_schedule_needs_no_list():
    single = dict(type='CosineAnnealingLR', T_max=None, end=100)
    config = Config(dict(WHOLE, param_scheduler=single))
    config.merge_from_dict(scaled_schedule(config, epochs=0.5))
    assert config.param_scheduler == dict(single, end=50)


@pytest.mark.parametrize(('factor', 'epochs', 'interval'), [(0.5, 50, 10), (0.04, 4, 4)])
def test_a_shorter_training_validates_at_least_once(factor, epochs, interval):
    config = scaled(epochs=factor)
    assert config.train_cfg == dict(max_epochs=epochs, val_interval=interval)
    assert config.default_hooks.checkpoint.interval == 5
    assert config.param_scheduler[0].end == 50
    assert config.param_scheduler[1].end == epochs
