"""Each ablation changes what its row is about, in every data set, and nothing else."""

from __future__ import annotations

import ast
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
SPLITS = ('train', 'val', 'test')
MASK, DENOISE = 'model.data_preprocessor.mask', 'model.data_preprocessor.denoise'
NO_ALIGNMENT = {'model.alignment_head': None}
RESIZED = [f'{part}_dataloader.dataset.pipeline.ResizeFrames.scale' for part in SPLITS]
EXPECTED = {
    'none': NO_ALIGNMENT | {f'{DENOISE}.method': 'none', f'{MASK}.sector': 'none'},
    'key_area': NO_ALIGNMENT | {f'{DENOISE}.method': 'none'},
    'key_area_denoising': NO_ALIGNMENT,
    'blur_mean': {f'{DENOISE}.method': 'mean'},
    'blur_gaussian': {f'{DENOISE}.method': 'gaussian'},
    'mask_tube': {f'{MASK}.strategy': 'tube'},
    'mask_block': {f'{MASK}.strategy': 'block'},
    'ratio_050': {f'{MASK}.mask_ratio': 0.5},
    'ratio_090': {f'{MASK}.mask_ratio': 0.9},
    'epochs_3200': {'train_cfg.max_epochs': 3200},
    'size_224': {'model.img_size': 224} | dict.fromkeys(RESIZED, (224, 224)),
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
def test_it_is_one_override(name):
    """Behind the docstring, ``_base_`` and perhaps an import stands one statement."""
    module = ast.parse((ROOT / 'ablations' / f'{name}.py').read_text())
    _docstring, base, *rest = module.body
    assert ast.get_docstring(module)
    assert ast.unparse(base) == "_base_ = '../pretrain_echo.py'"
    assert len([part for part in rest if not isinstance(part, ast.ImportFrom)]) == 1


@pytest.mark.parametrize('name', EXPECTED)
def test_it_differs_from_the_paper_in_its_row_alone(name):
    paper = flatten(Config.fromfile(ROOT / 'pretrain_echo.py').to_dict())
    ablation = flatten(Config.fromfile(ROOT / 'ablations' / f'{name}.py').to_dict())
    unset = object()
    changed = {k: v for k, v in ablation.items() if paper.get(k, unset) != v}
    assert changed == EXPECTED[name]
    gone = {key for key in paper if key not in ablation}
    assert all(key.startswith('model.alignment_head.') for key in gone)
    assert bool(gone) == ('model.alignment_head' in EXPECTED[name])


# More epochs are the same step.
@pytest.mark.parametrize('name', [name for name in EXPECTED if name != 'epochs_3200'])
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
