"""Geometry arguments of a recipe reach the model and the pipelines, and the model builds."""

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.utils import import_modules_from_strings

from echocardmae_mm.recipes import (
    clip_segmentation,
    diagnosis,
    ejection_fraction,
    infarction,
    pretraining,
    segmentation,
)
from echocardmae_mm.registry import MODELS

SIZE = dict(img_size=64, patch_size=8, embed_dims=24, depth=1, num_heads=3)
CLIP = dict(SIZE, num_frames=8)
TABLE = dict(type='echocardmae_mm.RecordingTableDataset', ann_file='labels.csv')
RECIPES = {
    'pretraining': lambda: pretraining(**CLIP),
    'own_sector': lambda: pretraining(**CLIP, own_sector=True),
    'ejection_fraction': lambda: ejection_fraction(**CLIP, checkpoint=None),
    'diagnosis': lambda: diagnosis(TABLE, **CLIP, checkpoint=None),
    'infarction': lambda: infarction(**CLIP, checkpoint=None),
    'segmentation': lambda: segmentation(**SIZE, checkpoint=None),
    'clip_segmentation': lambda: clip_segmentation(**CLIP, checkpoint=None),
}


def flat(value):
    """Every dict of a nested config."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from flat(item)


@pytest.fixture(params=RECIPES)
def recipe(request):
    return request.param, RECIPES[request.param]()


def test_the_model_builds_with_the_geometry(recipe):
    name, config = recipe
    host = 'mmseg' if 'segmentation' in name else 'mmaction'
    import_modules_from_strings(['mmaction.models', 'mmseg.models'])
    with DefaultScope.overwrite_default_scope(host):
        model = MODELS.build(Config(config['model'])._cfg_dict)
    slots = 1 if name == 'segmentation' else 4
    assert model.backbone.pos_embed.shape[1] == slots * 8 * 8


def test_the_pipelines_have_the_geometry(recipe):
    name, config = recipe
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        steps = list(flat(config.get(loader, {}).get('dataset', {}).get('pipeline', [])))
        sizes = [step['scale'] for step in steps if 'scale' in step]
        sizes += [(step['size'],) * 2 for step in steps if isinstance(step.get('size'), int)]
        assert set(sizes) <= {(64, 64)}
        assert sizes or not steps
        lengths = {step['clip_len'] for step in steps if 'clip_len' in step}
        assert lengths == (set() if name == 'segmentation' or not steps else {8})


def test_settings_override_the_model():
    config = pretraining(settings=dict(data_preprocessor=dict(mask=dict(strategy='tube'))))
    assert config['model']['data_preprocessor']['mask']['strategy'] == 'tube'
    assert config['model']['data_preprocessor']['mask']['mask_ratio'] == 0.75


def test_unsplit_recordings_have_no_validation():
    config = pretraining(dict(type='echocardmae_mm.EchoVideoDataset', data_root='videos'))
    assert 'split' not in config['train_dataloader']['dataset']
    assert config['val_dataloader'] is config['test_evaluator'] is None


@pytest.mark.parametrize('recipe', [ejection_fraction, infarction, segmentation, clip_segmentation])
def test_the_inference_apis_of_the_hosts_find_the_test_pipeline(recipe):
    config = recipe()
    assert config['test_pipeline'] == config['test_dataloader']['dataset']['pipeline']
