"""Every config of the repository builds at full size and trains when its depth is cut."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner

from echocardmae_mm.cli.recipe_settings import refuse_discarded_settings
from tests.helpers.small_models import shorten

ROOT = Path(__file__).parents[1] / 'configs'
INDEXED = re.compile(r'(?:pipeline|hooks|transforms)\w*\[-?\d+\]')
CONFIGS = sorted(
    str(path.relative_to(ROOT)) for path in ROOT.rglob('*.py') if '_base_' not in path.parts
)
PRETRAINING = [
    name
    for name in CONFIGS
    if Path(name).stem.startswith('pretrain')
    # Another start of pretrain_echo.py, which the test sets to None; the size of release/.
    and Path(name).stem not in ('pretrain_echo_k400', 'pretrain_patch8')
]
SEGMENTATION = [
    name
    for name in CONFIGS
    if Path(name).stem.startswith('seg')
    and not name.startswith('baselines/')  # test_baselines.py
    # Others differ by the click or the data, or are DeepLabV3, which test_baselines.py trains.
    and Path(name).stem
    not in (
        'seg_samus_no_click',
        'seg_memsam',
        'seg_camus_memsam_no_click',
        'seg_camus_samus',
        'seg_deeplabv3',
    )
]
EF_ECHONET = [name for name in CONFIGS if Path(name).stem in ('ef_echonet', 'ef_phantom')]


def test_no_config_addresses_a_pipeline_or_hooks_by_position():
    indexed = [
        f'{path.relative_to(ROOT)}: {line}'
        for path in ROOT.rglob('*.py')
        for line in path.read_text().splitlines()
        if INDEXED.search(line)
    ]
    assert not indexed


def test_no_config_discards_what_its_recipe_built():
    for name in CONFIGS:
        refuse_discarded_settings(ROOT / name)


# test_ablations.py builds the ablations.
@pytest.mark.parametrize('name', [name for name in CONFIGS if 'ablations' not in name])
def test_model_builds_at_full_size(name):
    config = Config.fromfile(ROOT / name)
    init_default_scope(config.default_scope)
    model = MODELS.build(config.model)
    assert sum(parameter.numel() for parameter in model.parameters()) > 5e5


@pytest.mark.parametrize('name', PRETRAINING)
def test_pretraining_takes_a_step_and_is_validated(name, echonet_root, tmp_path):
    config = Config.fromfile(ROOT / name)
    shorten(config, echonet_root, tmp_path)
    config.load_from = None
    config.model.backbone.depth = config.model.neck.depth = 1
    if target := config.model.pop('latent_target', None):
        path = tmp_path / 'teacher.pth'
        torch.save(dict(state_dict=MODELS.build(config.model).state_dict()), path)
        target.init_cfg.checkpoint = str(path)
        config.model.latent_target = target

    runner = Runner.from_cfg(config)
    runner.train()

    losses = runner.message_hub.get_scalar('train/loss_rec').data[0]
    assert len(losses) > 0
    assert np.isfinite(losses).all()
    assert (tmp_path / 'curves.png').stat().st_size > 1000
    assert bool(list((tmp_path / 'pictures').glob('*.png'))) == (target is None)
    if config.get('val_evaluator'):
        assert runner.message_hub.get_scalar('val/reconstruction/mse').current() > 0
        assert runner.test()['reconstruction/mse_train_mean'] > 0


@pytest.mark.parametrize('name', EF_ECHONET)
def test_ef_takes_a_step_is_validated_and_tested(name, echonet_root, tmp_path):
    runner = ef_runner(name, echonet_root, tmp_path)
    runner.train()
    assert np.isfinite(runner.message_hub.get_scalar('train/loss_ef').data[0]).all()
    assert runner.message_hub.get_scalar('val/ef/n').current() == 1
    assert (tmp_path / 'curves.png').stat().st_size > 1000
    assert list(tmp_path.glob('best_ef_mae_epoch_*.pth'))
    assert runner.test()['ef/n'] == 2
    assert (tmp_path / 'predictions.csv').is_file()


def ef_runner(name: str, echonet_root: Path, work_dir: Path, **options: object) -> Runner:
    """A run of an EF config at reduced depth on small data."""
    config = Config.fromfile(ROOT / name)
    shorten(config, echonet_root, work_dir)
    config.model.backbone.update(depth=1, init_cfg=None)
    config.merge_from_dict(options)
    return Runner.from_cfg(config)


def test_all_clips_of_a_recording_are_tested(echonet_root, tmp_path):
    options = {
        'test_dataloader.batch_size': 1,
        'test_dataloader.dataset.pipeline.1.num_clips': 'all',
        'model.test_cfg.max_testing_views': 7,
    }
    ef_runner('ef_echonet.py', echonet_root, tmp_path, **options).test()
    assert pd.read_csv(tmp_path / 'predictions.csv')['clips'].tolist() == [80 - 60] * 2


def test_layer_wise_decay_and_freezing(echonet_root, tmp_path):
    options = {
        'model.backbone.depth': 2,
        'model.backbone.frozen_stages': 1,
        'optim_wrapper.constructor': 'mmaction.LearningRateDecayOptimizerConstructor',
        'optim_wrapper.paramwise_cfg': dict(decay_rate=0.5, decay_type='layer_wise', num_layers=2),
    }
    runner = ef_runner('ef_echonet.py', echonet_root, tmp_path, **options)
    runner.model.init_weights()
    before = {name: p.clone() for name, p in runner.model.named_parameters()}
    runner.train()
    rates = {
        name: group['lr']
        for group in runner.optim_wrapper.optimizer.param_groups
        for name in group['param_names']
    }
    assert rates['cls_head.fc.weight'] == pytest.approx(1e-5)
    assert rates['backbone.blocks.1.norm1.weight'] == pytest.approx(0.5e-5)
    assert not any(name.startswith(('backbone.patch', 'backbone.blocks.0')) for name in rates)
    moved = {name for name, p in runner.model.named_parameters() if not p.equal(before[name])}
    assert moved
    assert moved <= rates.keys()


@pytest.mark.parametrize(
    'name', ['release/pretrain_echo.py', 'release/pretrain_echo_positional.py']
)
def test_released_sizes(name):
    config = Config.fromfile(ROOT / name)
    model = MODELS.build(config.model)
    assert model.data_preprocessor.sector_mask.patch_size == 8
    assert model.backbone.pos_embed.shape[1] == model.neck.pos_embed.shape[1] == 8 * 14 * 14


def test_the_paper_in_figures():
    config = Config.fromfile(ROOT / 'pretrain_echo.py')
    optimizer = config.optim_wrapper.optimizer
    head = config.model.alignment_head
    assert (optimizer.type, optimizer.lr, optimizer.weight_decay) == ('AdamW', 1e-4, 0.5)
    assert (config.train_dataloader.batch_size, config.train_cfg.max_epochs) == (64, 1600)
    assert (head.loss_weight, head.temperature, head.include_positive) == (0.2, 0.1, False)
    assert config.model.patch_size == 16


def test_released_ef():
    config = Config.fromfile(ROOT / 'release/ef_echonet.py')
    optimizer = config.optim_wrapper.optimizer
    assert (optimizer.lr, optimizer.weight_decay, optimizer.betas) == (1e-5, 1e-4, (0.9, 0.999))
    assert config.model.backbone.patch_size == 8
    assert config.model.backbone.attn_bias is False
    assert config.model.cls_head.mean == 55.6
    validated, tested = (
        config[f'{part}_dataloader'].dataset.pipeline[1] for part in ('val', 'test')
    )
    assert (validated.type, validated.num_clips) == ('echocardmae_mm.SampleRandomClips', 1)
    assert (tested.type, tested.num_clips) == ('echocardmae_mm.SampleUniformClips', 5)


@pytest.mark.parametrize('name', SEGMENTATION)
def test_segmentation_takes_a_step_is_validated_and_tested(
    name, echonet_root, camus_root, tmp_path
):
    config = Config.fromfile(ROOT / name)
    root = camus_root if 'camus' in name else echonet_root
    shorten(config, root, tmp_path)
    config.model.backbone.update(depth=1, init_cfg=None)
    if 'out_indices' in config.model.backbone:
        config.model.backbone.update(depth=4, out_indices=(0, 1, 2, 3))
    if config.model.decode_head.type == 'echocardmae_mm.MAESegHead':
        config.model.decode_head.update(depth=1, init_cfg=None)
    config.test_evaluator.n_resamples = 20

    runner = Runner.from_cfg(config)
    runner.train()
    losses = runner.message_hub.get_scalar('train/decode.loss_dice').data[0]
    assert np.isfinite(losses).all()
    assert list((tmp_path / 'pictures').glob('val_epoch_1.png'))
    assert list(tmp_path.glob('best_seg_dice_pooled_epoch_*.pth'))
    metrics = runner.test()
    frames = 4 if root == echonet_root else 8
    assert metrics['seg/n'] == frames == len(pd.read_csv(tmp_path / 'predictions.csv'))
    assert 0 <= metrics['seg/dice_pooled'] <= 1
    assert (tmp_path / 'split.csv').is_file() == (root == camus_root)
