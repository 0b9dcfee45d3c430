"""Values of settings that cannot be right."""

from __future__ import annotations

import pytest
from mmengine.config import Config

from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.cli.config_values import require_valid_values
from echocardmae_mm.cli.configuration import find_config
from echocardmae_mm.utils.errors import UserError

BASE = Config.fromfile(find_config('phantom/ef_phantom'))


def applied(word: str) -> Config:
    config = BASE.copy()
    apply_cfg_options(config, [word])
    require_valid_values(config)
    return config


@pytest.mark.parametrize(
    ('word', 'expected'),
    [
        ('train_dataloader.batch_size=0', 'an integer from 1'),
        ('val_dataloader.batch_size=1.5', 'an integer from 1'),
        ('train_dataloader.batch_size=two', 'a number'),
        ('train_dataloader.num_workers=-1', 'an integer from 0'),
        ('train_dataloader.num_workers=100000000', 'an integer from 0 to '),
        ('train_dataloader.prefetch_factor=0', 'an integer from 1'),
        ('train_cfg.max_epochs=0', 'an integer from 1'),
        ('train_cfg.max_epochs=ten', 'a number'),
        ('train_cfg.val_interval=0', 'an integer from 1'),
        ('randomness.seed=-1', 'an integer from 0 to'),
        ('randomness.seed=4294967296', 'an integer from 0 to'),
        ('randomness.seed=x', 'a'),
        ('optim_wrapper.optimizer.lr=fast', 'a number'),
        ('optim_wrapper.optimizer.lr=-1', 'a number from 0'),
        ('optim_wrapper.optimizer.type=Addam', 'an optimizer, such as AdamW'),
        ('optim_wrapper.optimizer.type=5', 'an optimizer, such as AdamW'),
        ('optim_wrapper.accumulative_counts=0', 'an integer from 1'),
        ('optim_wrapper.clip_grad.max_norm=x', 'a number'),
        ('default_hooks.checkpoint.interval=0', 'an integer from 1, or -1 for no checkpoints'),
        ('default_hooks.logger.interval=0', 'an integer from 1'),
        ('default_hooks.early_stopping.patience=-1', 'an integer from 0'),
        ('log_processor.window_size=0', 'an integer from 1'),
        ('default_hooks=5', 'settings'),
        ('train_dataloader=5', 'settings'),
        ('train_dataloader.dataset.pipeline=5', 'settings'),
        ('train_dataloader.sampler.shuffle=maybe', 'True or False'),
        ('custom_hooks=5', 'a list of hooks'),
        ('env_cfg.mp_cfg.mp_start_method=x', 'fork, spawn or forkserver'),
        ('log_level=LOUD', 'DEBUG, INFO, WARNING or ERROR'),
    ],
)
def test_a_value_that_cannot_be_right_is_named(word, expected):
    with pytest.raises(UserError) as error:
        applied(word)
    assert f'{word}: expected {expected}' in str(error.value)
    assert len(str(error.value).splitlines()) <= 2


def test_the_folder_of_a_run_is_no_setting():
    # Commands that start trainings would send all of them there.
    with pytest.raises(UserError, match='pass --work-dir or --out instead'):
        applied('work_dir=here')


@pytest.mark.parametrize(
    ('word', 'value'),
    [
        ('train_dataloader.num_workers=0', 0),
        ('default_hooks.checkpoint.interval=-1', -1),
        ('randomness.seed=None', None),
        ('optim_wrapper.optimizer.lr=1', 1),
        ('optim_wrapper.optimizer.type=SGD', 'SGD'),
        ('+train_cfg.dynamic_intervals=text', 'text'),
        ('train_dataloader.dataset.data_root=2026', '2026'),
    ],
)
def test_other_values_are_kept(word, value):
    node = applied(word)._cfg_dict
    for name in word.partition('=')[0].removeprefix('+').split('.'):
        node = node[name]
    assert node == value
