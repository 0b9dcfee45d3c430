"""Refuse values of settings before they fail deep inside another package."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

from mmengine.config import Config
from mmengine.registry import OPTIMIZERS

from echocardmae_mm.cli.arguments import MAX_WORKERS
from echocardmae_mm.utils.config import walk_config
from echocardmae_mm.utils.errors import UserError


def _integer_from(least: int, most: float = float('inf')) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _is_amount(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value < float('inf')


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


#: Pattern of keys, whether a value is valid, and what is expected. None is always valid.
_VALUES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ('*_dataloader.batch_size', _integer_from(1), 'an integer from 1'),
    (
        '*_dataloader.num_workers',
        _integer_from(0, MAX_WORKERS),
        f'an integer from 0 to {MAX_WORKERS}',
    ),
    ('*_dataloader.prefetch_factor', _integer_from(1), 'an integer from 1'),
    ('train_cfg.max_epochs', _integer_from(1), 'an integer from 1'),
    ('train_cfg.max_iters', _integer_from(1), 'an integer from 1'),
    ('train_cfg.val_interval', _integer_from(1), 'an integer from 1'),
    ('optim_wrapper.accumulative_counts', _integer_from(1), 'an integer from 1'),
    ('optim_wrapper.optimizer.lr', _is_amount, 'a number from 0'),
    ('default_hooks.logger.interval', _integer_from(1), 'an integer from 1'),
    (
        'default_hooks.checkpoint.interval',
        lambda value: value == -1 or _integer_from(1)(value),
        'an integer from 1, or -1 for no checkpoints',
    ),
    ('*hooks.*.patience', _integer_from(0), 'an integer from 0'),
    ('log_processor.window_size', _integer_from(1), 'an integer from 1'),
    ('randomness.seed', _integer_from(0, 2**32 - 1), 'an integer from 0 to 2**32 - 1'),
    ('optim_wrapper.clip_grad.max_norm', _is_amount, 'a number from 0'),
    (
        'optim_wrapper.optimizer.type',
        lambda value: callable(value) or OPTIMIZERS.get(str(value)) is not None,
        'an optimizer, such as AdamW',
    ),
    (
        'custom_hooks',
        lambda value: not isinstance(value, (str, int, float)) and not any(map(_is_text, value)),
        'a list of hooks; write it in a config file',
    ),
    (
        'env_cfg.mp_cfg.mp_start_method',
        lambda value: value in ('fork', 'spawn', 'forkserver'),
        'fork, spawn or forkserver',
    ),
    (
        'log_level',
        lambda value: isinstance(logging.getLevelName(value), int),
        'DEBUG, INFO, WARNING or ERROR',
    ),
)


def require_valid_values(config: Config) -> None:
    """Refuse values of common settings, wherever they come from, and say what is expected."""
    for key, value in walk_config(config):
        for pattern, is_valid, expected in _VALUES:
            if value is not None and fnmatchcase(key, pattern) and not is_valid(value):
                raise UserError(f'{key}={value}: expected {expected}')


def require_same_kinds(before: dict[str, Any], after: Config, keys: Iterable[str]) -> None:
    """Refuse text in place of a number, and a single value in place of a part of the config."""
    old, new = dict(walk_config(before)), dict(walk_config(after))
    for key in keys:
        value = new.get(key)
        expected = _expected(old.get(key), value)
        if expected:
            raise UserError(
                f'--cfg-options {key}={value}: expected {expected}\n'
                f'Write +{key}=VALUE if a component accepts it'
            )


def _expected(old: Any, new: Any) -> str:
    """Describe the expected value; empty if the new one may replace the old one."""
    if isinstance(old, dict) or (isinstance(old, (list, tuple)) and any(map(_is_part, old))):
        return 'settings' if isinstance(new, (str, int, float)) else ''
    if isinstance(old, bool):
        return 'True or False' if new not in (None, True, False) else ''
    if isinstance(old, (int, float)):
        return 'a number' if isinstance(new, str) else ''
    return ''


def _is_part(value: Any) -> bool:
    return isinstance(value, dict)
