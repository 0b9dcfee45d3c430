"""Bundles of tiny models with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from echocardmae_mm.apis import write_bundle
from echocardmae_mm.apis.published_config import without_training
from echocardmae_mm.recipes import (
    clip_segmentation,
    diagnosis,
    ejection_fraction,
    infarction,
    pretraining,
    segmentation,
)

SIZE = dict(img_size=56, patch_size=8, tubelet_size=8, embed_dims=24, depth=1, num_heads=3)
TINY = dict(SIZE, checkpoint=None)


def write_bundles(root: Path) -> dict[str, Path]:
    """Write one for each task, and one that segments clips."""
    decoder = dict(embed_dims=24, depth=1, num_heads=3)
    ventricle = dict(classes=('background', 'left ventricle'), palette=[[0, 0, 0], [230, 75, 53]])
    views = dict(type='echocardmae_mm.CAMUSViewDataset')
    ef = ejection_fraction(settings=dict(cls_head=dict(mean=55.0)), **TINY)
    encoder = pretraining(settings=dict(neck=dict(embed_dims=24, depth=1)), **SIZE)
    encoder['test_pipeline'] = ef['test_pipeline']
    settings = {
        'ef': _settings(ef, 'ejection_fraction'),
        'encoder': _settings(encoder, 'features'),
        'seg': _settings(segmentation(decoder=decoder, **TINY), 'segmentation', **ventricle),
        'clip_seg': _settings(
            clip_segmentation(decoder=decoder, **TINY), 'segmentation', **ventricle
        ),
        'mi': _settings(infarction(**TINY), 'diagnosis', classes=('normal', 'infarction')),
        'view': _settings(diagnosis(views, span='cycle', **TINY), 'view', classes=('4CH', '2CH')),
    }
    return {name: _write(root / name, one) for name, one in settings.items()}


def _settings(config: dict, task: str, **changes: Any) -> dict[str, Any]:
    return {
        'name': f'tiny_{task}',
        'task': task,
        'default_scope': 'mmseg' if task == 'segmentation' else 'mmaction',
        'framing': 'sector' if task in ('diagnosis', 'view') else 'echonet',
        'frame_size': (112, 112),
        'fps': 50.0,
        'synthetic': False,
        'classes': (),
        'palette': [],
        'model': without_training(Config(config).model),
        'test_pipeline': config['test_pipeline'],
        **changes,
    }


def _write(folder: Path, settings: dict[str, Any]) -> Path:
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope(settings['default_scope']):
        model = MODELS.build(settings['model'])
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    write_bundle(folder, settings, model, {}, '# card\nWEIGHTS_SHA256\n')
    return folder
