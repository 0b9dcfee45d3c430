"""The probes of the evidence find what features hold, and nothing in noise."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from sklearn.metrics import r2_score, roc_auc_score

from echocardmae_mm.phantom import make_phantom

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope='module')
def probes() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / 'tools' / 'evidence'))
        yield importlib.import_module('frozen_probes')


@pytest.fixture(scope='module')
def encoder_features(probes) -> ModuleType:
    return importlib.import_module('encoder_features')


@pytest.fixture
def cohort(probes):
    """Truth of 120 recordings, and features of two layers: noise, then the targets."""
    rng = np.random.default_rng(0)
    names = np.array([f'r{index:03}' for index in range(120)])
    truth = pd.DataFrame(
        {
            'name': names,
            'split': ['TRAIN'] * 80 + ['VAL'] * 20 + ['TEST'] * 20,
            'ef': rng.uniform(20, 70, 120),
            'edv': rng.uniform(60, 200, 120),
            'fps': rng.choice([30.0, 50.0], 120),
            'heart_rate': rng.uniform(50, 90, 120),
            'quality': rng.choice(['Good', 'Poor'], 120),
            'ed': rng.integers(0, 50, 120),
        }
    )
    mix = rng.normal(size=(4, 8))
    known = probes.targets_of(truth, names).drop(columns='trains').to_numpy(float)
    known = (known - known.mean(0)) / known.std(0)
    layers = np.stack([rng.normal(size=(120, 8)), known @ mix], axis=1)
    features = probes.Features(
        names=names,
        patients=names,
        labels=np.arange(120) % 2,
        starts=rng.integers(0, 50, (120, 2)),
        layers=layers,
        slots=rng.normal(size=(120, 2, 8, 8)),
        tokens=np.zeros((120, 0)),
    )
    return features, truth


def test_targets_are_found_in_the_layer_that_holds_them(probes, cohort):
    features, truth = cohort
    for layer, is_there in ((0, False), (1, True)):
        found = probes.probe_layer(features, truth, layer, with_class=True)
        for name, (label, predicted) in found.items():
            assert len(label) == 40  # VAL and TEST
            score = probes.scored((label, predicted), features.names[80:])
            oracle = roc_auc_score if name == 'good_quality' else r2_score
            assert score.estimate == pytest.approx(oracle(label, predicted))
            if is_there:
                assert score.low > 0.9
            else:
                assert score.estimate < 0.75


def test_the_phase_is_found_where_slots_hold_it(probes, cohort):
    features, truth = cohort
    target = probes.phases(truth, features)
    slots = target @ np.random.default_rng(1).normal(size=(2, 8))
    label, predicted = probes.probe_phase(features._replace(slots=slots), truth)
    np.testing.assert_allclose(predicted, label, atol=0.02)
    label, predicted = probes.probe_phase(features, truth)
    assert probes.scored((label, predicted), features.names[80:]).high < 0.2


def test_the_phase_is_that_of_a_phantom(probes):
    phantom = make_phantom(3, num_frames=100)
    truth = pd.DataFrame(
        [{'name': 'a', 'ed': phantom.ed, 'fps': phantom.fps, 'heart_rate': 60}]
    ).assign(heart_rate=phantom.patient.heart_rate)
    features = probes.Features(*[np.array(['a'])] * 2, *[np.zeros(1)] * 5)._replace(
        starts=np.array([[0]]), slots=np.zeros((1, 1, 8, 4))
    )
    sine, cosine = np.moveaxis(probes.phases(truth, features)[0, 0], -1, 0)
    found = np.arctan2(sine, cosine) / (2 * np.pi) % 1
    frames = np.arange(8) * 2 * probes.INTERVAL + probes.INTERVAL / 2
    beat = np.searchsorted(phantom.r_waves, frames, side='right') - 1
    inside = (beat >= 0) & (beat + 1 < len(phantom.r_waves))
    start, end = (phantom.r_waves[beat[inside] + i] for i in (0, 1))
    expected = (frames[inside] - start) / (end - start)
    offset = (found[inside] - expected + 0.5) % 1 - 0.5
    assert inside.sum() >= 3
    assert np.abs(offset - np.median(offset)).max() < 0.12  # beats differ by a few per cent


def test_attentive_pooling_finds_one_token_that_knows(probes, cohort):
    features, truth = cohort
    rng = np.random.default_rng(2)
    tokens = rng.normal(size=(120, 6, 8))
    tokens[:, 4] = [0, 3, 0, -3, 0, 0, 0, 0]  # marks the token, whatever its norm
    tokens[:, 4, 0] = (truth['ef'] - 45) / 10
    features = features._replace(tokens=tokens.astype(np.float16))
    label, predicted = probes.probe_attentively(features, truth, epochs=800, seed=0)
    np.testing.assert_allclose(label, truth['ef'][80:], rtol=1e-6)
    assert np.corrcoef(predicted, label)[0, 1] > 0.8


def test_each_block_is_read_and_the_last_is_the_encoder(probes, encoder_features):
    config = Config.fromfile(ROOT / probes.CONFIG).model
    config.backbone.depth = config.neck.depth = 2
    model = MODELS.build(config).eval()
    clips = torch.randint(0, 255, (1, 3, 16, 112, 112), dtype=torch.uint8)
    outputs = encoder_features.encode(model, clips)
    assert [output.shape for output in outputs] == [(1, 392, 192)] * 2
    with torch.no_grad():
        torch.testing.assert_close(outputs[-1].float(), model.extract_feat(clips), atol=0.1, rtol=0)
        normal = model.backbone.norm(outputs[0].float())
    assert (normal - outputs[-1].float()).abs().mean() > 0.01


def test_features_are_kept_until_the_checkpoint_changes(encoder_features, tmp_path, monkeypatch):
    clips = torch.randint(0, 255, (2, 3, 16, 112, 112), dtype=torch.uint8)
    identity = (np.array('a'), np.array('a'), 0, np.array([0, 9]))
    monkeypatch.setattr(encoder_features, '_recordings', lambda parts: [(clips, identity)])
    config = Config.fromfile(ROOT / 'configs/phantom/study/pretrain_study.py')
    config.model.backbone.depth = config.model.neck.depth = 1

    def features(with_tokens: bool = False):
        arguments = (tmp_path / 'kept', config, str(checkpoint), tmp_path, with_tokens)
        return encoder_features.cached_features(*arguments)['echonet']

    checkpoint = tmp_path / 'epoch_1.pth'
    layers = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        torch.save(dict(state_dict=MODELS.build(config.model).state_dict()), checkpoint)
        layers.append(features().layers)
        assert features().layers.tolist() == layers[-1].tolist()
    assert np.abs(layers[0] - layers[1]).max() > 0.01
    assert not features().tokens.size
    assert features(with_tokens=True).tokens.shape == (1, 392, 192)
