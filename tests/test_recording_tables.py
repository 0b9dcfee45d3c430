"""Ejection fraction and diagnosis from a table of one's own: a config and one option."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope

from echocardmae_mm.apis import EchoInferencer
from echocardmae_mm.cli import publish, test, train
from echocardmae_mm.phantom import make_phantom
from tests.conftest import write_video

CONFIGS = Path(__file__).parents[1] / 'configs'
SMALL = [
    'model.backbone.depth=1',
    'model.backbone.embed_dims=24',
    'model.backbone.num_heads=2',
    'model.backbone.init_cfg=None',
    'model.cls_head.in_channels=24',
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
    'test_dataloader.num_workers=0',
    'test_evaluator.n_resamples=50',
    'train_cfg.max_epochs=1',
    'train_cfg.val_interval=1',
]


@pytest.fixture(scope='module')
def table(tmp_path_factory) -> Path:
    """60 phantoms of 30 patients, every tenth on another scanner's screen, and their table."""
    folder = tmp_path_factory.mktemp('table')
    rows = []
    for index in range(60):
        screen = 'hmcqu' if index % 10 == 0 else 'echonet'
        phantom = make_phantom([14, index], screen=screen, num_frames=32)
        name = f'recordings/{index:02d}.avi'
        write_video(folder / name, phantom.frames, fps=phantom.fps)
        grade = np.digitize(phantom.ef, [45, 55])
        rows.append(
            {
                'Path': name,
                'EF': round(phantom.ef, 2),
                'Patient': f'p{index // 2:02d}',
                'label': 'reduced' if phantom.ef < 50 else 'normal',
                'grade': ('severe', 'mild', 'normal')[grade],
                'age': 60,
            }
        )
    frame = pd.DataFrame(rows)
    frame.drop(columns='grade').to_csv(folder / 'labels.csv', index=False)
    frame.drop(columns='label').rename(columns={'grade': 'label'}).to_csv(
        folder / 'grades.csv', index=False
    )
    return folder


@pytest.fixture
def run(table, tmp_path, monkeypatch):
    """``run(config, ann_file, *settings)`` trains and tests; returns the work directory."""
    monkeypatch.chdir(tmp_path)

    def train_and_test(config: str, ann_file: str, *settings: str) -> Path:
        path = str(CONFIGS / config)
        options = ['--cfg-options', f'ann_file={table / ann_file}', *SMALL, *settings]
        train.main([path, '--work-dir', 'run', *options])
        (checkpoint,) = [*Path('run').glob('best_*.pth')] or Path('run').glob('epoch_*.pth')
        test.main([path, str(checkpoint), '--work-dir', 'run', *options])
        return tmp_path / 'run'

    return train_and_test


def publish_run(folder: Path, table: Path) -> Path:
    """Publish the checkpoint of a diagnosis that :func:`run` trained."""
    (checkpoint,) = [*folder.glob('best_*.pth')] or folder.glob('epoch_*.pth')
    options = ['--cfg-options', f'ann_file={table}', *SMALL]
    publish.main(
        [str(CONFIGS / 'diagnosis_table.py'), str(checkpoint), '--out', 'bundle', *options]
    )
    return Path('bundle')


def test_ejection_fraction(run, table):
    folder = run('ef_table.py', 'labels.csv')
    predictions = pd.read_csv(folder / 'predictions.csv')
    splits = pd.read_csv(folder / 'split.csv', index_col='patient')['split']
    assert splits.value_counts().to_dict() == {'train': 22, 'test': 6, 'val': 2}
    assert set(predictions['patient']) == set(splits.index[splits == 'test'])
    listed = pd.read_csv(table / 'labels.csv').set_index('Path')['EF']
    truth = [listed[f'recordings/{video}'] for video in predictions['video']]
    assert predictions['ef'].tolist() == pytest.approx(truth)
    assert set(predictions['source']) == {'labels.csv'}


@pytest.mark.parametrize(
    ('ann_file', 'prefix'), [('labels.csv', 'diagnosis'), ('grades.csv', 'classes')]
)
def test_diagnosis_of_two_and_three_classes(run, table, ann_file, prefix):
    folder = run('diagnosis_table.py', ann_file)
    log = ''.join(path.read_text() for path in folder.glob('*/vis_data/scalars.json'))
    assert f'"{prefix}/accuracy"' in log
    assert '"top1_acc"' in log
    assert 'top5' not in log
    assert json.loads((folder / 'test.json').read_text())['metrics'][f'{prefix}/n'] == 12
    predictions = pd.read_csv(folder / 'predictions.csv').set_index('video')
    assert len(predictions) == 12
    bundle = publish_run(folder, table / ann_file)
    measure = EchoInferencer([bundle], 'cpu')
    # Recordings of EchoNet's size that are not shorter than a heartbeat.
    echonet = [name for name in predictions.index if int(name[:2]) % 10]
    results = {name: measure(table / 'recordings' / name) for name in echonet}
    video, values = next((name, r.values) for name, r in results.items() if r.is_measured)
    for index, name in enumerate(measure.bundles['diagnosis'].config.classes):
        column = f'score_{index}' if prefix == 'classes' else 'score'
        if prefix == 'classes' or index == 1:
            expected = predictions.loc[video, column]
            assert values[f'{name}_probability'] == pytest.approx(expected, abs=1e-4)


def test_recordings_of_echonet_give_the_clips_of_its_own_config(echonet_root, tmp_path):
    names = pd.read_csv(echonet_root / 'FileList.csv').query("Split == 'TEST'")
    table = pd.DataFrame({'path': names['FileName'] + '.avi', 'ef': names['EF'], 'split': 'test'})
    table.to_csv(tmp_path / 'labels.csv', index=False)
    init_default_scope('mmaction')
    echonet, own = (
        Config.fromfile(CONFIGS / name).test_dataloader.dataset
        for name in ('ef_echonet.py', 'ef_table.py')
    )
    echonet.data_root = str(echonet_root)
    own.update(data_root=str(echonet_root / 'Videos'), ann_file=str(tmp_path / 'labels.csv'))
    echonet, own = DATASETS.build(echonet), DATASETS.build(own)
    assert len(own) == len(echonet) == 2
    for index in range(2):
        torch.testing.assert_close(own[index]['inputs'], echonet[index]['inputs'], rtol=0, atol=0)
        assert own[index]['data_samples'].ef == pytest.approx(echonet[index]['data_samples'].ef)
