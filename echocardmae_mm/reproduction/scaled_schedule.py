"""Lengthen or shorten the training of a config with its schedules."""

from __future__ import annotations

from typing import Any

from mmengine.config import Config

from echocardmae_mm.utils.config import dicts_of

#: Settings of schedules in epochs or iterations.
_TIMES = {'T_max', 'step_size', 'begin', 'end'}


def scaled_schedule(config: Config, epochs: float, steps: float = 1.0) -> dict[str, Any]:
    """Find the settings that scale the epochs of a config and its schedules in proportion.

    A longer training validates and saves as often as before; a shorter one does so after as many
    epochs as before, or once.

    Args:
        config (Config): A config that trains by epochs.
        epochs (float): Factor of the epochs, and of schedules in epochs.
        steps (float): Factor of schedules in iterations. Defaults to 1.

    Returns:
        dict[str, Any]: Settings by their keys, only those that change.

    Example:
        >>> schedule = [dict(type='CosineAnnealingLR', by_epoch=True, T_max=8)]
        >>> whole = Config(dict(train_cfg=dict(max_epochs=8), param_scheduler=schedule))
        >>> scaled_schedule(whole, epochs=0.5)
        {'train_cfg.max_epochs': 4, 'param_scheduler.0.T_max': 4}
    """
    max_epochs = max(1, round(epochs * config.train_cfg.max_epochs))
    settings: dict[str, Any] = {}
    if epochs != 1:
        settings['train_cfg.max_epochs'] = max_epochs
        for name, interval in _intervals(config, is_longer=epochs > 1).items():
            scaled = min(max(interval, round(epochs * interval)), max_epochs)
            if scaled != interval:
                settings[name] = scaled
    for key, scheduler in dicts_of({'param_scheduler': config.get('param_scheduler')}):
        factor = epochs if scheduler.get('by_epoch', True) else steps
        for name in sorted(_TIMES & scheduler.keys()):
            if factor != 1 and scheduler[name] is not None:
                scaled = max(round(factor * scheduler[name]), int(name != 'begin'))
                settings[f'{key}.{name}'] = scaled
    return settings


def _intervals(config: Config, is_longer: bool) -> dict[str, int]:
    """Epochs between validations, and between the checkpoints of a longer training."""
    intervals = {'train_cfg.val_interval': config.train_cfg.get('val_interval', 1)}
    checkpoint = (config.get('default_hooks') or {}).get('checkpoint') or {}
    if is_longer and checkpoint.get('by_epoch', True) and checkpoint.get('interval', -1) > 0:
        intervals['default_hooks.checkpoint.interval'] = checkpoint['interval']
    return intervals
