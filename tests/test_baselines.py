"""The peers' configs train and are tested when they are cut, and their networks are the peers'."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner

from tests.helpers.small_models import shorten

ROOT = Path(__file__).parents[1] / 'configs' / 'baselines'
CUT = {
    'ef_camus_uniformer': dict(depth=[1, 1, 1, 1], init_cfg=None),
    'ef_camus_uniformer_rnc': dict(depth=[1, 1, 1, 1], init_cfg=None),
    'ef_cardiacnet_encoder': dict(base_channels=16),
    'ef_echomen': dict(),
    'ef_echomen_stage1': dict(),
    'ef_r2plus1d': dict(),
    'ef_uniformer': dict(depth=[1, 1, 1, 1]),
    'ef_uniformer_rnc': dict(depth=[1, 1, 1, 1]),
    'ef_uniformer_rnc_stage2': dict(depth=[1, 1, 1, 1]),
    'mi_uniformer': dict(depth=[1, 1, 1, 1], init_cfg=None),
    'mi_uniformer_rnc': dict(depth=[1, 1, 1, 1], init_cfg=None),
    'pretrain_videomae': dict(embed_dims=24, depth=1, num_heads=3),
    'seg_deeplabv3': dict(depth=18),
    **{
        f'seg_{camus}{network}{no_click}': dict(
            img_size=64, embed_dims=16, depth=2, num_heads=2, global_blocks=(1,), out_channels=16
        )
        for camus in ('', 'camus_')
        for network in ('samus', 'memsam')
        for no_click in ('', '_no_click')
    },
}
STARTS = {
    'ef_camus_uniformer': 'ef_uniformer',
    'ef_camus_uniformer_rnc': 'ef_uniformer_rnc',
    'mi_uniformer': 'ef_uniformer',
    'mi_uniformer_rnc': 'ef_uniformer_rnc',
    'ef_uniformer_rnc_stage2': 'ef_uniformer_rnc',
    'ef_echomen': 'ef_echomen_stage1',
}
LOSSES = {
    'ef_echomen': ['loss_experts', 'loss_mixture'],
    'ef_echomen_stage1': ['loss_ef', 'loss_contrast'],
    'ef_uniformer_rnc': ['loss_ef', 'loss_contrast'],
}


@pytest.fixture
def root_of(request):
    """``root_of(name)`` is the data of a config."""

    def root_of(name: str) -> Path:
        data = 'camus' if 'camus' in name else 'hmcqu' if 'mi_' in name else 'echonet'
        return request.getfixturevalue(f'{data}_root')

    return root_of


def cut_config(name: str, root: Path, work_dir: Path) -> Config:
    config = Config.fromfile(ROOT / f'{name}.py')
    shorten(config, root, work_dir)
    config.model.backbone.update(CUT[name])
    for part in ('train', 'val', 'test'):
        if (loader := config.get(f'{part}_dataloader')) and 'num_folds' in loader.dataset:
            loader.dataset.num_folds = 2
    return config


def test_every_baseline_is_checked():
    assert {path.stem for path in ROOT.glob('*.py')} == CUT.keys()


def test_a_start_is_the_best_checkpoint_of_the_config_before():
    for name, before in STARTS.items():
        config = Config.fromfile(ROOT / f'{name}.py')
        start = config.load_from or config.model.backbone.init_cfg.checkpoint
        assert start == f'work_dirs/baselines/{before}/best_ef_mae_epoch_*.pth'
        assert Config.fromfile(ROOT / f'{before}.py').default_hooks.checkpoint.save_best == 'ef/mae'


# The contrastive start of ef_camus_uniformer_rnc is cut away.
EF = [name for name in CUT if name.startswith('ef') and name != 'ef_camus_uniformer_rnc']


@pytest.mark.parametrize('name', EF)
def test_ef_is_trained_validated_and_tested(name, root_of, tmp_path):
    config = cut_config(name, root_of(name), tmp_path)
    side = 48 if 'cardiacnet' in name else 32
    if 'cardiacnet' in name:
        config.model.cls_head.in_channels = 128
    for part in ('train', 'val', 'test'):
        for step in config[f'{part}_dataloader'].dataset.pipeline:
            if 'clip_len' in step:
                step.clip_len = 8
            if step.type.endswith('ResizeFrames'):
                step.scale = (side, side)
            if step.type.endswith('RandomShift'):
                step.pixels = 3
            if step.get('op') == 'RandomCrop':
                step.update(size=side, padding=3)
    config.load_from = None
    if 'camus' in name:
        config.model.cls_head.mean = 40.0  # all of these patients have an EF of 50

    runner = Runner.from_cfg(config)
    runner.model.init_weights()
    before = {k: v.clone() for k, v in runner.model.state_dict().items()}
    runner.train()
    if name == 'ef_uniformer_rnc_stage2':
        changed = [k for k, v in runner.model.state_dict().items() if not torch.equal(v, before[k])]
        assert changed
        assert all(name.startswith('cls_head.') for name in changed)
    losses = LOSSES.get(name, ['loss_ef'])
    for loss in losses:
        values = runner.message_hub.get_scalar(f'train/{loss}').data[0]
        assert np.isfinite(values).all()
        assert (values > 0).all()
    assert runner.message_hub.get_scalar('val/ef/n').current() == 1
    assert runner.test()['ef/n'] == (3 if 'camus' in name else 2)


def test_infarction_is_trained_and_tested(root_of, tmp_path):
    config = cut_config('mi_uniformer', root_of('mi_uniformer'), tmp_path)
    runner = Runner.from_cfg(config)
    runner.train()
    assert np.isfinite(runner.message_hub.get_scalar('train/loss_cls').data[0]).all()
    assert 0 <= runner.test()['diagnosis/accuracy'] <= 100


def test_videomae_masks_tubes_of_nine_tenths_of_the_frame():
    config = Config.fromfile(ROOT / 'pretrain_videomae.py')
    init_default_scope(config.default_scope)
    config.model.backbone.update(CUT['pretrain_videomae'])
    model = MODELS.build(config.model)
    clips = torch.zeros(1, 2, 3, 16, 112, 112, dtype=torch.uint8)
    mask = model.data_preprocessor.sector_mask.draw(
        clips.shape, torch.zeros(1, 3, dtype=torch.int64)
    )
    slots = mask.masked[0, 0].view(8, 49)
    assert slots[0].sum() == 49 - 4
    assert torch.equal(slots, slots[:1].expand(8, 49))
    assert mask.sector.all()
    assert model.alignment_head is None


def test_segmentation_is_trained_validated_and_tested(echonet_root, tmp_path):
    config = cut_config('seg_deeplabv3', echonet_root, tmp_path)
    config.model.decode_head.in_channels = 512
    config.test_evaluator.n_resamples = 20

    runner = Runner.from_cfg(config)
    runner.train()
    assert np.isfinite(runner.message_hub.get_scalar('train/decode.loss_ce').data[0]).all()
    assert 0 <= runner.test()['seg/dice_pooled'] <= 1


@pytest.mark.parametrize('name', ['seg_camus_samus_no_click', 'seg_camus_memsam'])
def test_prompted_segmentation_is_trained_and_tested(name, camus_root, tmp_path):
    config = cut_config(name, camus_root, tmp_path)
    config.load_from = None
    config.model.decode_head.update(embed_dims=16, num_heads=2, mlp_dims=32)
    if 'memory' in config.model:
        config.model.memory.update(
            embed_dims=16, key_dims=8, value_dims=16, hidden_dims=8, fusion_dims=16
        )
    else:
        config.model.data_preprocessor.size = (64, 64)
    for part in ('train', 'val', 'test'):
        for step in config[f'{part}_dataloader'].dataset.pipeline:
            if 'scale' in step:
                step.scale = (64, 64)
            if 'clip_len' in step:
                step.clip_len = 3
    config.test_evaluator.n_resamples = 20

    runner = Runner.from_cfg(config)
    before = {k: v.clone() for k, v in runner.model.state_dict().items()}
    runner.train()
    for loss in ('loss_bce', 'loss_dice'):
        values = runner.message_hub.get_scalar(f'train/decode.{loss}').data[0]
        assert np.isfinite(values).all()
        assert (values > 0).all()
    changed = {k for k, v in runner.model.state_dict().items() if not torch.equal(v, before[k])}
    assert any(name.startswith('backbone.cnn_stem') for name in changed)
    frozen = ('decode_head.', 'prompt_encoder.', 'backbone.patch_embed', 'backbone.blocks.0.')
    assert not any(name.startswith(frozen) for name in changed)
    assert runner.test()['seg/n'] == 8


def test_a_prompted_config_says_whether_it_sees_the_truth():
    for path in [*ROOT.glob('seg*samus*.py'), *ROOT.glob('seg*memsam*.py')]:
        config = Config.fromfile(path)
        clicks = 'no_click' not in path.stem
        assert ('TRUE' in path.read_text(), config.model.clicks) == (clicks, clicks)
        for part in ('train', 'val', 'test'):
            steps = [step.type for step in config[f'{part}_dataloader'].dataset.pipeline]
            assert ('echocardmae_mm.ClickInMask' in steps) == clicks


def backbone_of(name: str) -> torch.nn.Module:
    config = Config.fromfile(ROOT / f'{name}.py')
    init_default_scope(config.default_scope)
    backbone = MODELS.build(config.model.backbone)
    backbone.eval()  # the hosts' train() returns nothing
    return backbone


def test_the_published_weights_of_uniformer_small_would_fit():
    """MMAction2's config of its Kinetics-400 checkpoint, whose names and shapes are these."""
    published = dict(
        type='mmaction.UniFormer',
        depth=[3, 4, 8, 3],
        embed_dim=[64, 128, 320, 512],
        head_dim=64,
        drop_path_rate=0.1,
    )
    init_default_scope('mmaction')
    shapes = {key: x.shape for key, x in MODELS.build(published).state_dict().items()}
    assert {k: x.shape for k, x in backbone_of('ef_uniformer').state_dict().items()} == shapes


def test_a_checkpoint_of_uniformer_is_loaded_when_given(tmp_path):
    """``pretrained2d=True``, the default of MMAction2's class, would ignore ``init_cfg``."""
    config = Config.fromfile(ROOT / 'ef_uniformer.py')
    init_default_scope(config.default_scope)
    config.model.backbone.depth = [1, 1, 1, 1]
    saved = MODELS.build(config.model.backbone).state_dict()
    path = tmp_path / 'uniformer.pth'
    torch.save({'state_dict': {f'backbone.{key}': x for key, x in saved.items()}}, path)
    config.merge_from_dict(
        {
            'model.backbone.init_cfg.type': 'Pretrained',
            'model.backbone.init_cfg.checkpoint': str(path),
            'model.backbone.init_cfg.prefix': 'backbone.',
        }
    )
    model = MODELS.build(config.model)
    model.init_weights()
    loaded = model.backbone.state_dict()
    assert all(torch.equal(loaded[key], x) for key, x in saved.items())
