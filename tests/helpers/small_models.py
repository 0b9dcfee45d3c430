"""Configs of the repository, made small enough to train within seconds."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import save_checkpoint

CONFIGS = Path(__file__).parents[2] / 'configs'


def small_ef(base: str = 'ef_echonet', more: str = '') -> str:
    """The text of a config for ejection fraction; ``more`` are its last lines."""
    return f"""
_base_ = '{CONFIGS}/{base}.py'
model = dict(
    backbone=dict(embed_dims=48, depth=1, num_heads=3, init_cfg=None),
    cls_head=dict(in_channels=48),
)
train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False)
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = dict(num_workers=0)
test_evaluator = dict(n_resamples=20)
train_cfg = dict(max_epochs=1)
{more}
"""


def shorten(config: Config, root: Path, work_dir: Path) -> None:
    """Train for one epoch on a few recordings, in one process."""
    config.work_dir = config.experiment_name = str(work_dir)
    for part in ('train', 'val', 'test'):
        if loader := config.get(f'{part}_dataloader'):
            loader.update(batch_size=2, num_workers=0, persistent_workers=False)
            loader.dataset.data_root = str(root)
    config.train_cfg.update(max_epochs=1, val_interval=1)


def write_checkpoint(config: Config, path: Path | str, seed: int = 0, std: float = 0) -> str:
    """Save an untrained model; with ``std``, its head has random weights and not zeros."""
    torch.manual_seed(seed)
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model)
    if std:
        torch.nn.init.normal_([*model.cls_head.modules()][-1].weight, std=std)
    save_checkpoint({'state_dict': model.state_dict(), 'meta': {}}, str(path))
    return str(path)
