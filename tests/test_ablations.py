"""Each ablation changes what its row is about, in every data set, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, MODELS, init_default_scope

from echocardmae_mm.utils.counter_rng import EpochIndex

ROOT = Path(__file__).parents[1] / 'configs'
PIPELINES = (
    'pretrain_pipeline',
    'train_dataloader.dataset.pipeline',
    'val_dataloader.dataset.pipeline',
    'test_dataloader.dataset.pipeline',
    'test_evaluator.mean_of.pipeline',
    'custom_hooks.0.dataset.pipeline',
)
NO_ALIGNMENT = {'model.alignment_head': None}
EXPECTED = {
    'none': (NO_ALIGNMENT, {'DenoisedTarget.method': 'none', 'SectorMask.sector': 'none'}),
    'key_area': (NO_ALIGNMENT, {'DenoisedTarget.method': 'none'}),
    'key_area_denoising': (NO_ALIGNMENT, {}),
    'blur_mean': ({}, {'DenoisedTarget.method': 'mean'}),
    'blur_gaussian': ({}, {'DenoisedTarget.method': 'gaussian'}),
    'mask_tube': ({}, {'SectorMask.strategy': 'tube'}),
    'mask_block': ({}, {'SectorMask.strategy': 'block'}),
    'ratio_050': ({}, {'SectorMask.mask_ratio': 0.5}),
    'ratio_090': ({}, {'SectorMask.mask_ratio': 0.9}),
    'size_224': (
        {'size.img_size': 224, 'model.backbone.img_size': 224, 'model.neck.img_size': 224},
        {'Resize.scale': (224, 224)},
    ),
}

#: Of 7 x 7 patches 42 lie in the sector, of 14 x 14 there are 158.
SHOWN_IN_EACH_SLOT = {'none': 12, 'ratio_050': 21, 'ratio_090': 4, 'size_224': 39}


def flatten(value: Any, path: str = '') -> dict[str, Any]:
    """``{'a.b.0': leaf}``; the steps of a pipeline go by their type in place of their number."""
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = (
            (part['type'].split('.')[-1] if path.endswith('pipeline') else str(index), part)
            for index, part in enumerate(value)
        )
    else:
        return {path: value}
    return {
        key: leaf
        for name, part in parts
        for key, leaf in flatten(part, f'{path}.{name}' if path else name).items()
    }


def test_every_ablation_is_checked():
    assert {path.stem for path in (ROOT / 'ablations').glob('*.py')} == EXPECTED.keys()


@pytest.mark.parametrize('name', EXPECTED)
def test_it_differs_from_the_paper_in_its_row_alone(name):
    paper = flatten(Config.fromfile(ROOT / 'pretrain_echo.py').to_dict())
    ablation = flatten(Config.fromfile(ROOT / 'ablations' / f'{name}.py').to_dict())
    settings, steps = EXPECTED[name]
    expected = settings | {
        f'{pipeline}.{step}': value for pipeline in PIPELINES for step, value in steps.items()
    }
    unset = object()
    assert {k: v for k, v in ablation.items() if paper.get(k, unset) != v} == expected
    gone = {key for key in paper if key not in ablation}
    assert all(key.startswith('model.alignment_head.') for key in gone)
    assert bool(gone) == ('model.alignment_head' in settings)


@pytest.mark.parametrize('name', EXPECTED)
def test_it_takes_a_step_and_is_validated(name, echonet_root):
    config = Config.fromfile(ROOT / 'ablations' / f'{name}.py')
    init_default_scope(config.default_scope)
    config.model.backbone.depth = 1
    config.model.neck.depth = 1
    model = MODELS.build(config.model)

    losses = model.train_step(
        batch_of_two(config.train_dataloader.dataset, echonet_root),
        build_optim_wrapper(model, config.optim_wrapper),
    )
    assert losses['loss_rec'] > 0
    assert ('loss_align' in losses) == (config.model.alignment_head is not None)
    assert all(parameter.isfinite().all() for parameter in model.parameters())

    model.eval()
    with torch.no_grad():
        samples = model.val_step(batch_of_two(config.val_dataloader.dataset, echonet_root))
    masked, sector = samples[0].masked.view(2, 8, -1), samples[0].sector.view(2, 8, -1)
    assert ((sector & ~masked).sum(-1) == SHOWN_IN_EACH_SLOT.get(name, 10)).all()


def batch_of_two(dataset: dict, root: Path) -> dict:
    dataset = DATASETS.build(dict(dataset, data_root=str(root), split='train'))
    return pseudo_collate([dataset[EpochIndex(i, 0, 0)] for i in range(2)])
