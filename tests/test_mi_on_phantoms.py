"""Infarction by the project's tools on real files: folds, tests, pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mmengine.config import Config
from mmengine.runner import Runner

ROOT = Path(__file__).parents[1]
SMALL = {
    'model.backbone.depth': 1,
    'model.backbone.init_cfg': None,
    'train_dataloader.batch_size': 2,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'test_dataloader.num_workers': 0,
    'test_evaluator.n_resamples': 50,
    'train_cfg.max_epochs': 2,
}


@pytest.mark.parametrize('name', ['mi_hmcqu.py', 'phantom/mi_phantom.py'])
def test_a_config_trains_and_is_tested(name, hmcqu_root, tmp_path):
    config = Config.fromfile(ROOT / 'configs' / name)
    config.merge_from_dict(SMALL)
    config.work_dir, config.experiment_name = str(tmp_path), name
    for part in ('train', 'test'):
        dataset = config[f'{part}_dataloader'].dataset
        dataset.update(data_root=str(hmcqu_root), traced_only=False, num_folds=2)
    runner = Runner.from_cfg(config)
    runner.train()
    losses = runner.message_hub.get_scalar('train/loss_cls').data[0]
    assert np.isfinite(losses).all()
    assert 'train/top5_acc' not in runner.message_hub.log_scalars
    metrics = runner.test()
    predictions = pd.read_csv(tmp_path / 'predictions.csv')
    assert metrics['diagnosis/n'] == len(predictions) == 3
    assert predictions['score'].between(0, 1).all()
    right = (predictions['score'] >= 0.5) == predictions['label']
    assert metrics['diagnosis/accuracy'] == pytest.approx(100 * right.mean())


def test_two_folds_are_run_and_summed_up(command, folds_here, hmcqu_root, tmp_path):
    settings = {**SMALL, 'data_root': hmcqu_root, 'train_cfg.max_epochs': 1}
    for part in ('train', 'test'):
        settings[f'{part}_dataloader.dataset.traced_only'] = False
    options = ('--folds', '2', '--work-dir', 'run', '--cfg-options')
    options += tuple(f'{name}={value}' for name, value in settings.items())
    done = command('cross-validate', ROOT / 'configs' / 'mi_hmcqu.py', *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    report = (tmp_path / 'run' / 'cross_validation.md').read_text()
    assert 'one recording changes the accuracy of a fold of 3 by 33.3 points' in report
    pooled = pd.read_csv(tmp_path / 'run' / 'predictions.csv')
    assert sorted(pooled['fold']) == [0] * 3 + [1] * 3
    assert pooled['patient'].is_unique
    assert {path.stem for path in (tmp_path / 'run' / 'plots').iterdir()} == {
        'roc', 'confusion', 'calibration',
    }  # fmt: skip
