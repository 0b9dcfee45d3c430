"""Files that a test and a validation write."""

import hashlib
import json
import logging
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from mmengine.config import Config

from echocardmae_mm.engine import Leakage, PredictionsHook, write_test_results
from echocardmae_mm.evaluation import DiagnosisMetric, EFMetric, ReconstructionMetric

PLOTS = {'predicted_against_true', 'bland_altman', 'error_by_ef_class'}


@pytest.fixture
def runner(tmp_path):
    metric = EFMetric(n_resamples=0)
    samples = [
        {'filename': f'{i}.avi', 'ef': 40.0 + i, 'pred_ef': 45.0, 'pred_ef_clips': torch.ones(2)}
        for i in range(5)
    ]
    metric.process(None, samples)
    metric.evaluate(5)
    evaluator = SimpleNamespace(metrics=[ReconstructionMetric(), metric])
    return SimpleNamespace(
        work_dir=str(tmp_path), test_evaluator=evaluator, val_evaluator=evaluator
    )


def test_a_test_writes_its_predictions(runner, tmp_path):
    PredictionsHook().after_test_epoch(runner)
    table = pd.read_csv(tmp_path / 'predictions.csv')
    assert table['video'].tolist() == [f'{i}.avi' for i in range(5)]
    assert table['prediction'].tolist() == [45.0] * 5
    assert not (tmp_path / 'plots').exists()


def test_a_second_metric_has_a_table_of_its_own(runner, tmp_path):
    other = DiagnosisMetric(n_resamples=0)
    samples = [
        {
            'filename': f'{i}.avi',
            'patient': f'{i}',
            'gt_label': torch.tensor([i % 2]),
            'pred_score': torch.tensor([0.4, 0.6]),
        }
        for i in range(4)
    ]
    other.process(None, samples)
    other.evaluate(4)
    runner.test_evaluator.metrics.append(other)
    PredictionsHook().after_test_epoch(runner)
    assert len(pd.read_csv(tmp_path / 'predictions.csv')) == 5
    assert len(pd.read_csv(tmp_path / f'{other.prefix}_predictions.csv')) == 4


def test_plots_on_request(runner, tmp_path):
    hook = PredictionsHook(plot=True)
    hook.after_val_epoch(runner)
    assert not (tmp_path / 'predictions.csv').exists()
    hook.after_test_epoch(runner)
    drawn = {path.stem for path in (tmp_path / 'plots').glob('*.png')}
    assert drawn == {f'{part}_{name}' for part in ('val', 'test') for name in PLOTS}


def test_a_metric_without_a_table_is_skipped(tmp_path):
    evaluator = SimpleNamespace(metrics=[ReconstructionMetric()])
    PredictionsHook(plot=True).after_test_epoch(
        SimpleNamespace(work_dir=str(tmp_path), test_evaluator=evaluator)
    )
    assert list(tmp_path.iterdir()) == []


def test_results_name_their_origin_and_end_in_a_table(runner, tmp_path, caplog):
    checkpoint = tmp_path / 'a.pth'
    torch.save({'state_dict': {}, 'meta': {}}, checkpoint)
    runner.test_evaluator.metrics.pop(0)
    runner.cfg, runner.seed = Config({'a_setting': 3}), 4
    runner.test_dataloader = SimpleNamespace(dataset=[1, 2, 3])
    runner.logger = logging.getLogger('results')
    caplog.set_level(logging.INFO, 'results')

    leakage = Leakage([], 3, ['a.pth'])
    path = write_test_results(runner, {'ef/mae': 3.0}, str(checkpoint), leakage)

    result = json.loads(path.read_text())
    assert path == tmp_path / 'test.json'
    assert result['metrics'] == {'ef/mae': 3.0}
    assert result['checkpoint_sha256'] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert result['leakage'] == {'recordings': [], 'tested': 3, 'unknown': ['a.pth']}
    assert result['data'] == [{'type': 'list', 'data_root': None, 'recordings': 3, 'found': None}]
    assert result['seed'] == 4
    assert 'a_setting = 3' in result['config_text']
    assert '| MAE ' in caplog.messages[-1]

    runner.test_evaluator.metrics.clear()
    write_test_results(runner, {'top1': 0.5}, str(checkpoint), None)
    assert '| top1   |   0.5 |' in caplog.messages[-1]
