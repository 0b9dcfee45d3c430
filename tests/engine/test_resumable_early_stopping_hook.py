"""Patience is counted over an interruption as without one."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub

from echocardmae_mm.engine import ResumableEarlyStoppingHook
from echocardmae_mm.registry import HOOKS

CONFIGS = Path(__file__).parents[2] / 'configs'

SCORES = [9.0, 8.0, 8.5, 8.2, 8.1, 7.9, 8.3, 8.4, 8.5, 8.6, 8.7]


def runner(hub, epoch=0):
    return SimpleNamespace(
        iter=10 * epoch,
        epoch=epoch,
        message_hub=hub,
        train_loop=SimpleNamespace(stop_training=False),
        logger=logging.getLogger('early'),
    )


def hook():
    return ResumableEarlyStoppingHook(monitor='ef/mae', rule='less', min_delta=0, patience=4)


def epochs_until_stop(interrupted_after=None, validated_again=False):
    hub = MessageHub('uninterrupted')
    stopping, training = hook(), runner(hub)
    stopping.before_train(training)
    for epoch, score in enumerate(SCORES, start=1):
        training.epoch = epoch
        stopping.after_val_epoch(training, {'ef/mae': score})
        if training.train_loop.stop_training:
            return epoch
        if epoch == interrupted_after:
            stored = MessageHub(f'resumed {epoch}')
            stored.load_state_dict(hub.state_dict())
            hub, stopping, training = stored, hook(), runner(stored, epoch)
            stopping.before_train(training)
            if validated_again:
                stopping.after_val_epoch(training, {'ef/mae': score})
    return None


def test_stops_after_four_epochs_without_improvement():
    assert epochs_until_stop() == 10


def released_stop(scores):
    """The epoch in which the released code's early stopping, with its patience of 25, ends."""
    best, without = float('inf'), 0
    for epoch, score in enumerate(scores, start=1):
        without = 0 if score < best else without + 1
        best = min(best, score)
        if without > 25:
            return epoch


@pytest.mark.parametrize(('runtime', 'sign'), [('ef', 1), ('seg', -1)])
def test_the_configs_stop_in_the_same_epoch_as_the_released_code(runtime, sign):
    config = Config.fromfile(CONFIGS / '_base_' / f'runtime_{runtime}.py')
    stopping = HOOKS.build(config.default_hooks.early_stopping)
    training = runner(MessageHub(f'released {runtime}'))
    scores = [9.0, 8.0, *(8.5 + epoch % 3 for epoch in range(60))]
    for epoch, score in enumerate(scores, start=1):
        training.epoch = epoch
        stopping.after_val_epoch(training, {stopping.monitor: sign * score})
        if training.train_loop.stop_training:
            break
    assert epoch == released_stop(scores) == 28


@pytest.mark.parametrize('validated_again', [False, True])
@pytest.mark.parametrize('epoch', range(1, 10))
def test_an_interruption_changes_nothing(epoch, validated_again):
    assert epochs_until_stop(epoch, validated_again) == 10


def test_what_it_stores_can_be_read_as_weights_only(tmp_path):
    training = runner(MessageHub('stored'))
    hook().after_val_epoch(training, {'ef/mae': 5.0})
    torch.save(training.message_hub.state_dict()['runtime_info'], tmp_path / 'hub.pth')
    loaded = torch.load(tmp_path / 'hub.pth', weights_only=True)
    assert loaded['early_stopping']['best_score'] == 5.0
    assert loaded['early_stopping']['wait_count'] == 0


def test_a_new_run_in_the_same_process_starts_fresh():
    hub = MessageHub('again')
    hub.update_info('early_stopping', {'best_score': 1.0, 'wait_count': 3})
    stopping = hook()
    stopping.before_train(runner(hub))
    assert stopping.wait_count == 0
