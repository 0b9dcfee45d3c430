"""A bundle whose parts do not fit is refused, and none of its files runs code."""

import hashlib
import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from echocardmae_mm.apis import Bundle, write_bundle
from echocardmae_mm.evaluation.feature_distance import fit_feature_distance
from echocardmae_mm.utils.errors import UserError


@pytest.fixture
def bundle(bundles, tmp_path):
    return shutil.copytree(bundles['ef'], tmp_path / 'ef')


def test_holds_the_weights_and_settings_that_were_written(bundle):
    loaded = Bundle(bundle, 'cpu')
    weights = load_file(bundle / 'model.safetensors')
    state = loaded.model.state_dict()
    assert state.keys() == weights.keys()
    for name, value in weights.items():
        torch.testing.assert_close(state[name], value, rtol=0, atol=0, equal_nan=True)
    assert loaded.task == 'ejection_fraction'
    assert tuple(loaded.config.frame_size) == (112, 112)
    assert loaded.sha256 in (bundle / 'README.md').read_text()
    assert not loaded.model.training


@pytest.mark.parametrize(
    'name', ['config.py', 'model.safetensors', 'calibration.json', 'README.md']
)
def test_a_missing_part_is_named(bundle, name):
    (bundle / name).unlink()
    with pytest.raises(UserError, match=f'no bundle, {name} is missing'):
        Bundle(bundle)


@pytest.mark.parametrize(
    'line',
    [
        'import os',
        'fps = open("x").read()',
        'fps = dict(**{"a": 1})["a"]',
        'fps = __import__("os").getpid()',
        'fps += 1',
        'fps = {[1]: 2}',
        'for i in range(3): pass',
        'fps = (',
    ],
)
def test_a_config_that_would_run_code_is_refused(bundle, line):
    path = bundle / 'config.py'
    path.write_text(f'{path.read_text()}\n{line}\n')
    with pytest.raises(UserError, match='expected only assignments of literals'):
        Bundle(bundle)


def test_weights_of_another_model_are_refused(bundle):
    weights = load_file(bundle / 'model.safetensors')
    weights['backbone.patch_embed.projection.bias'] = torch.zeros(7)
    save_file(weights, bundle / 'model.safetensors')
    with pytest.raises(UserError, match='belongs to other weights'):
        Bundle(bundle)
    content = (bundle / 'model.safetensors').read_bytes()
    calibration = {'weights_sha256': hashlib.sha256(content).hexdigest()}
    (bundle / 'calibration.json').write_text(json.dumps(calibration))
    with pytest.raises(UserError, match=r'model.safetensors: does not fit config.py'):
        Bundle(bundle)


def test_a_damaged_calibration_and_another_format_are_refused(bundle):
    path = bundle / 'config.py'
    text = path.read_text()
    path.write_text(text.replace('format = 1', 'format = 9'))
    with pytest.raises(UserError, match='format 9'):
        Bundle(bundle)
    path.write_text(text)
    (bundle / 'calibration.json').write_text('{')
    with pytest.raises(UserError, match='damaged'):
        Bundle(bundle)


@pytest.fixture
def compared(bundle):
    """The bundle with the features of a training set."""
    loaded = Bundle(bundle, 'cpu')
    features = np.random.default_rng(0).normal(size=(60, 24))
    distance = fit_feature_distance(features, range(60))
    settings = {name: value for name, value in loaded.config.items() if name != 'format'}
    write_bundle(bundle, settings, loaded.model, {}, 'card', distance)
    return bundle, distance


def test_holds_the_features_of_the_training_set(compared):
    bundle, distance = compared
    found = Bundle(bundle, 'cpu').feature_distance
    other = np.random.default_rng(1).normal(size=24)
    assert found(other) == pytest.approx(distance(other), rel=1e-5)
    assert (found.level, found.n) == (0.99, 60)


@pytest.mark.parametrize('spoil', ['missing', 'of another'])
def test_features_of_another_training_set_are_refused(compared, spoil):
    path = compared[0] / 'features.safetensors'
    content = path.read_bytes()
    path.unlink()
    if spoil == 'of another':
        path.write_bytes(content[:-1] + b'!')
    with pytest.raises(UserError, match=r'features.safetensors: missing, damaged or of another'):
        Bundle(compared[0])


def test_no_path_leaves_with_it(bundles):
    for folder in bundles.values():
        assert 'work_dirs' not in (folder / 'config.py').read_text()
        assert 'data/' not in (folder / 'config.py').read_text()


@pytest.mark.parametrize('device', ['gpu', 'cuda:', 'cuda:99', 'CPU'])
def test_a_device_that_torch_does_not_see_is_refused(bundle, device):
    with pytest.raises(UserError, match=rf'device {device}: expected cpu, cuda or cuda:N; torch'):
        Bundle(bundle, device)
