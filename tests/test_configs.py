"""Every config of the repository builds at full size and trains when its depth is cut."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner

ROOT = Path(__file__).parents[1] / 'configs'
CONFIGS = sorted(
    str(path.relative_to(ROOT)) for path in ROOT.rglob('*.py') if '_base_' not in path.parts
)
PRETRAINING = [name for name in CONFIGS if 'pretrain' in name]


@pytest.mark.parametrize('name', CONFIGS)
def test_model_builds_at_full_size(name):
    config = Config.fromfile(ROOT / name)
    init_default_scope(config.default_scope)
    model = MODELS.build(config.model)
    assert sum(parameter.numel() for parameter in model.parameters()) > 1e6


@pytest.mark.parametrize('name', PRETRAINING)
def test_pretraining_takes_a_step_and_is_validated(name, echonet_root, tmp_path):
    config = Config.fromfile(ROOT / name)
    config.work_dir = str(tmp_path)
    config.experiment_name = name
    config.load_from = None
    config.model.backbone.depth = 1
    config.model.neck.depth = 1
    for part in ('train', 'val', 'test'):
        loader = config.get(f'{part}_dataloader')
        if loader:
            loader.update(batch_size=2, num_workers=0, persistent_workers=False)
            loader.dataset.data_root = str(echonet_root)
    for hook in config.custom_hooks:
        if 'dataset' in hook:
            hook.dataset.data_root = str(echonet_root)
    if config.get('test_evaluator'):
        config.test_evaluator.mean_of.data_root = str(echonet_root)
    config.train_cfg.update(max_epochs=1, val_interval=1)

    runner = Runner.from_cfg(config)
    runner.train()

    losses = runner.message_hub.get_scalar('train/loss_rec').data[0]
    assert len(losses) > 0
    assert np.isfinite(losses).all()
    assert (tmp_path / 'curves.png').stat().st_size > 1000
    if config.get('val_evaluator'):
        assert runner.message_hub.get_scalar('val/reconstruction/mse').current() > 0
        assert list((tmp_path / 'pictures').glob('*.png'))
        assert runner.test()['reconstruction/mse_train_mean'] > 0


@pytest.mark.parametrize(
    'name', ['release/pretrain_echo.py', 'release/pretrain_echo_positional.py']
)
def test_released_sizes(name):
    config = Config.fromfile(ROOT / name)
    mask = config.train_dataloader.dataset.pipeline[6]
    assert mask.type == 'echocardmae_mm.SectorMask'
    assert mask.patch_size == config.model.backbone.patch_size == config.model.neck.patch_size == 8
    assert config.test_evaluator.mean_of.pipeline[6].patch_size == 8


def test_the_paper_in_figures():
    config = Config.fromfile(ROOT / 'pretrain_echo.py')
    optimizer = config.optim_wrapper.optimizer
    head = config.model.alignment_head
    assert (optimizer.type, optimizer.lr, optimizer.weight_decay) == ('AdamW', 1e-4, 0.5)
    assert (config.train_dataloader.batch_size, config.train_cfg.max_epochs) == (64, 1600)
    assert (head.loss_weight, head.temperature, head.include_positive) == (0.2, 0.1, False)
    assert config.model.backbone.patch_size == 16
