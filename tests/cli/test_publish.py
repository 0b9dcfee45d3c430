"""A published bundle predicts what the tested checkpoint predicts, and carries no path."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import save_checkpoint

from echocardmae_mm.apis import EchoEmbedder, EchoInferencer
from echocardmae_mm.apis.calibration_file import THRESHOLDS
from echocardmae_mm.apis.published_config import task_of
from echocardmae_mm.apis.training_set import recording_features
from echocardmae_mm.cli import publish, test
from echocardmae_mm.datasets.recordings import content_hash
from echocardmae_mm.evaluation import feature_distance
from echocardmae_mm.evaluation.conformal import fit_conformal
from echocardmae_mm.evaluation.temperature_scaling import fit_temperature
from echocardmae_mm.utils.errors import UserError
from tests.helpers.small_models import small_ef, write_checkpoint

ROOT = Path(__file__).parents[2]
PRETRAINING = f"""
_base_ = '{ROOT}/configs/pretrain_echo.py'
model = dict(
    backbone=dict(embed_dims=24, depth=1, num_heads=3),
    neck=dict(embed_dims=24, depth=1, num_heads=3),
)
"""


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A config and its checkpoint, in the working folder."""
    monkeypatch.chdir(tmp_path)
    Path('config.py').write_text(small_ef(more="model['cls_head'].update(mean=55.0, std=10.0)"))
    Path('trained').mkdir()
    config = Config.fromfile('config.py')
    return 'config.py', write_checkpoint(config, 'trained/epoch_1.pth', std=0.05)


def record(checkpoint, videos):
    """Record the training videos in a checkpoint, as training does."""
    content = torch.load(checkpoint)
    content['meta']['echocardmae_mm'] = {'videos': [*map(content_hash, map(str, videos))]}
    save_checkpoint(content, checkpoint)


def videos_of(echonet_root, split):
    with (echonet_root / 'FileList.csv').open() as file:
        names = [row['FileName'] for row in csv.DictReader(file) if row['Split'] == split]
    return [echonet_root / 'Videos' / f'{name}.avi' for name in names]


def write_table(videos, efs):
    """A table of renamed copies of videos."""
    Path('own').mkdir()
    lines = ['path,ef']
    for index, ef in enumerate(efs):
        shutil.copy(videos[index % len(videos)], f'own/{index}.avi')
        lines.append(f'{index}.avi,{ef}')
    Path('own/table.csv').write_text('\n'.join(lines))
    return 'own/table.csv'


def run(trained, echonet_root, *options, out='bundle'):
    data = ['--cfg-options', f'data_root={echonet_root}']
    publish.main([*trained, '--out', out, *options, *data])
    return Path(out)


def test_predicts_what_the_test_predicts_and_says_how_well(trained, echonet_root):
    data = ['--cfg-options', f'data_root={echonet_root}']
    test.main([*trained, '--work-dir', 'trained', '--allow-leakage', *data])
    bundle = run(trained, echonet_root)
    tested = pd.read_csv('trained/predictions.csv').set_index('video')['prediction']
    measure = EchoInferencer([bundle], 'cpu')
    for name, expected in tested.items():
        values = measure(echonet_root / 'Videos' / name).values
        assert values['ef_percent'] == pytest.approx(expected, abs=1e-4)
    card = (bundle / 'README.md').read_text()
    mae = json.loads(Path('trained/test.json').read_text())['metrics']['ef/mae']
    assert f'| ef/mae | {mae:.4g}' in card
    assert card.startswith('---\n')
    assert 'EchoNetDynamic: 5 recordings' in card
    assert json.loads((bundle / 'calibration.json').read_text())['gate'] == THRESHOLDS
    for file in bundle.iterdir():
        assert str(echonet_root).encode() not in file.read_bytes()
        assert not any(name.encode() in file.read_bytes() for name in tested.index)


def test_calibrates_on_recordings_that_the_model_has_not_seen(trained, echonet_root, capsys):
    efs = [50 + index for index in range(19)]
    table = write_table(videos_of(echonet_root, 'TEST'), efs)
    bundle = run(trained, echonet_root, '--calibrate', table)
    measure = EchoInferencer([bundle], 'cpu')
    of_videos = [measure(f'own/{index}.avi').values['ef_percent'] for index in range(2)]
    expected = fit_conformal(np.resize(of_videos, 19), np.array(efs))
    calibration = json.loads((bundle / 'calibration.json').read_text())
    interval = calibration['interval']
    assert interval['edges'] == []
    assert interval['below'] == pytest.approx(expected.below, abs=1e-3)
    assert interval['above'] == pytest.approx(expected.above, abs=1e-3)
    assert interval['n'] == 19
    values = measure('own/0.avi').values
    ef, low, high = (values[f'ef{end}_percent'] for end in ('', '_low', '_high'))
    assert ef - low == pytest.approx(min(interval['below'][0], ef))
    assert high - ef == pytest.approx(min(interval['above'][0], 100 - ef))
    assert 'no record of the recordings it was trained on' in capsys.readouterr().out
    assert 'could not be excluded' in (bundle / 'README.md').read_text()
    assert not calibration['training_recorded']
    record(trained[1], videos_of(echonet_root, 'TRAIN'))
    bundle = run(trained, echonet_root, '--calibrate', table, '--force')
    assert 'no record' not in capsys.readouterr().out
    assert 'could not be excluded' not in (bundle / 'README.md').read_text()
    assert json.loads((bundle / 'calibration.json').read_text())['training_recorded']


@pytest.mark.parametrize(
    ('split', 'recorded', 'message'),
    [
        ('TRAIN', True, '9 of its 9 recordings trained the model, such as own/0.avi'),
        ('TRAIN', False, '9 of its 9 recordings trained the model'),
        ('VAL', True, '9 of its 9 recordings selected the model'),
        ('TEST', True, '9 of its 9 recordings trained the model'),
    ],
)
def test_a_table_of_recordings_that_the_model_has_seen_is_refused(
    trained, echonet_root, split, recorded, message
):
    videos = videos_of(echonet_root, split)
    if recorded:
        record(trained[1], videos if split == 'TEST' else videos_of(echonet_root, 'TRAIN'))
    table = write_table(videos, range(50, 59))
    with pytest.raises(SystemExit, match=message):
        run(trained, echonet_root, '--calibrate', table)
    assert not Path('bundle').exists()


@pytest.mark.parametrize(
    ('efs', 'message'),
    [
        ([0.3 + index / 100 for index in range(9)], 'expected per cent'),
        ([*range(50, 58), 'nan', *range(60, 64)], 'line 10 .*ef is empty'),
        ([*range(50, 58), 'abc'], "line 10 .*ef is 'abc'; expected a number from 0 to 100"),
    ],
)
def test_a_table_of_wrong_ejection_fractions_is_refused(trained, echonet_root, efs, message):
    table = write_table(videos_of(echonet_root, 'TEST'), efs)
    with pytest.raises(SystemExit, match=message):
        run(trained, echonet_root, '--calibrate', table)


def test_compares_recordings_with_the_training_set(trained, echonet_root, monkeypatch, capsys):
    bundle = run(trained, echonet_root)
    assert 'no check for unusual features: 5 patients are too few' in capsys.readouterr().out
    assert not (bundle / 'features.safetensors').exists()
    assert 'does not hold the features of its training set' in (bundle / 'README.md').read_text()
    monkeypatch.setattr(feature_distance, 'LEAST_PATIENTS', 5)
    bundle = run(trained, echonet_root, '--force')
    measure = EchoInferencer([bundle], 'cpu')
    train, test = (
        [row['FileName'] for row in csv.DictReader(file) if row['Split'] == split]
        for split in ('TRAIN', 'TEST')
        for file in [(echonet_root / 'FileList.csv').open()]
    )
    shown = measure.bundles['ejection_fraction']
    found = [recording_features(shown, echonet_root / 'Videos' / f'{name}.avi') for name in train]
    np.testing.assert_allclose(shown.feature_distance.mean, np.mean(found, axis=0), rtol=1e-5)
    assert shown.feature_distance.n == 5
    assert measure(echonet_root / 'Videos' / f'{test[0]}.avi').values['training_distance'] > 0
    assert 'covariance of the features of 5 training' in (bundle / 'README.md').read_text()
    for file in bundle.iterdir():
        assert not any(name.encode() in file.read_bytes() for name in train)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--calibrate', 'train'], 'these recordings trained the model'),
        (['--calibrate', 'TRAIN'], 'these recordings trained the model'),
        (['--calibrate', 'VAL'], 'these recordings selected the model'),
        (['--calibrate', 'test'], 'are too few'),
        (['--calibrate', 'no.csv'], 'no.csv'),
    ],
)
def test_an_unfit_calibration_is_refused(trained, echonet_root, options, message):
    with pytest.raises(SystemExit, match=message):
        run(trained, echonet_root, *options)
    assert not Path('bundle').exists()
    assert not list(Path().glob('.bundle*'))


def test_lists_the_training_recordings_only_on_request(trained, echonet_root, tmp_path):
    run(trained, echonet_root, '--training-list')
    path = Path('bundle/training-list.json')
    content = json.loads(path.read_text())
    videos = videos_of(echonet_root, 'TRAIN')
    assert len(content['hashes']) == len(videos) == 5
    assert not {content_hash(str(video)) for video in videos} & set(content['hashes'])
    renamed = shutil.copy(videos[0], tmp_path / 'renamed.avi')
    measure = EchoInferencer('bundle', 'cpu')
    for video, is_listed in ((renamed, True), (videos_of(echonet_root, 'TEST')[0], False)):
        assert ('trained_on' in measure(video).values['flags'].split()) == is_listed
    path.write_text(json.dumps({**content, 'salt': 'short'}))
    with pytest.raises(UserError, match=r'training-list\.json: damaged'):
        EchoInferencer('bundle', 'cpu')
    run(trained, echonet_root, '--force')
    assert not path.exists()


def test_nothing_is_overwritten_unless_asked(trained, echonet_root):
    Path('bundle').mkdir()
    Path('bundle/mine').write_text('x')
    with pytest.raises(SystemExit, match='bundle exists'):
        run(trained, echonet_root)
    run(trained, echonet_root, '--force')
    assert Path('bundle/mine').read_text() == 'x'


def test_half_precision_is_half_the_size(trained, echonet_root):
    whole = run(trained, echonet_root)
    half = run(trained, echonet_root, '--half', out='half')
    size = [(folder / 'model.safetensors').stat().st_size for folder in (whole, half)]
    assert size[1] < 0.55 * size[0]
    video = next((echonet_root / 'Videos').glob('*.avi'))
    ef = [EchoInferencer([folder], 'cpu')(video).values['ef_percent'] for folder in (whole, half)]
    assert ef[1] == pytest.approx(ef[0], abs=0.2)


@pytest.mark.parametrize('name', ['ef_echomen', 'ef_uniformer_rnc', 'ef_r2plus1d'])
def test_the_heads_of_other_papers_predict_the_ejection_fraction(name):
    config = Config.fromfile(ROOT / 'configs' / 'baselines' / f'{name}.py')
    assert task_of(config) == 'ejection_fraction'


def test_a_pretraining_model_becomes_an_encoder(trained, echonet_root):
    Path('pretrain.py').write_text(PRETRAINING)
    weights = write_checkpoint(Config.fromfile('pretrain.py'), 'trained/pretrained.pth')
    bundle = run(('pretrain.py', weights), echonet_root)
    video = next((echonet_root / 'Videos').glob('*.avi'))
    features = EchoEmbedder(bundle, 'cpu')(video).features
    assert features.shape == (5, 24)
    assert len(np.unique(features, axis=0)) == 5
    card = (bundle / 'README.md').read_text()
    assert 'echocardmae embed' in card
    assert '## Intervals' not in card


def test_calibrates_the_probability_of_a_diagnosis(trained, echonet_root, make_video, capsys):
    table = pd.read_csv(write_table(videos_of(echonet_root, 'TEST'), range(50, 62)))
    split = ['train'] * 4 + ['val'] * 4 + ['test'] * 4
    table.assign(label=['ill', 'normal'] * 6, split=split).to_csv('own/labels.csv', index=False)
    Path('mi.py').write_text(small_ef('diagnosis_table'))
    write_checkpoint(Config.fromfile('mi.py'), 'trained/mi.pth', std=0.5)
    command = ['mi.py', 'trained/mi.pth', '--cfg-options', 'ann_file=own/labels.csv', '--out']
    publish.main([*command, 'raw'])
    raw = EchoInferencer('raw', 'cpu')
    assert 'Not calibrated' in Path('raw/README.md').read_text()
    assert raw('own/0.avi').values['diagnosis_calibrated'] is False
    positive, labels = [], []
    for index in range(8):
        video = make_video(Path(f'new/{index}.avi'), 80, seed=50 + index)
        positive.append(raw(video).values['normal_probability'])
        is_right = index % 4 > 0
        labels.append(int((positive[-1] > 0.5) == is_right))
    rows = [f'{index}.avi,{("ill", "normal")[label]}' for index, label in enumerate(labels)]
    Path('new/labels.csv').write_text('\n'.join(['path,label', *rows]))
    publish.main([*command, 'calibrated', '--calibrate', 'new/labels.csv'])
    probabilities = np.stack([1 - np.array(positive), positive], axis=1)
    scaling = fit_temperature(probabilities, np.array(labels))
    calibration = json.loads(Path('calibrated/calibration.json').read_text())
    assert calibration['temperature']['temperature'] == pytest.approx(scaling.temperature, rel=1e-3)
    assert calibration['temperature']['n'] == 8
    assert 'errors' not in calibration
    values = EchoInferencer('calibrated', 'cpu')('new/0.avi').values
    assert values['normal_probability'] == pytest.approx(scaling(probabilities)[0, 1], abs=1e-4)
    assert values['diagnosis_calibrated'] is True
    assert 'on 8 recordings. On these' in Path('calibrated/README.md').read_text()
    assert 'from 8 recordings: Brier score' in capsys.readouterr().out
