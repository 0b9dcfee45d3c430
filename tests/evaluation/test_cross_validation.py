"""Folds gathered: means against plain ones, and folds that do not belong together."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from echocardmae_mm.evaluation import DiagnosisMetric, EFMetric
from echocardmae_mm.evaluation.cross_validation import (
    is_finished,
    over_folds,
    pooled_predictions,
    report,
)
from echocardmae_mm.evaluation.prediction_metric import flatten
from echocardmae_mm.utils.errors import UserError


def write_fold(root: Path, fold: int, patients: range, source: str = 'CAMUS') -> Path:
    generator = np.random.default_rng(fold)
    ef = generator.normal(50, 12, len(patients))
    table = pd.DataFrame(
        {
            'video': [f'{p}.nii.gz' for p in patients],
            'patient': [f'{p:04d}' for p in patients],
            'source': source,
            'quality': ['Good' if p % 3 else 'Poor' for p in patients],
            'ef': ef,
            'prediction': ef + generator.normal(0, 5 + fold, len(patients)),
            'padded_frames': 0,
        }
    )
    folder = root / f'fold_{fold}'
    folder.mkdir()
    table.to_csv(folder / 'predictions.csv', index=False)
    metrics = {'ef/mae': float((table['prediction'] - ef).abs().mean()), 'ef/mae_low': 0.0}
    metrics['ef/quality_poor/r'] = float('nan') if fold == 0 else 0.5
    (folder / 'test.json').write_text(json.dumps({'metrics': metrics}))
    return folder


@pytest.fixture
def folders(tmp_path):
    return [write_fold(tmp_path, i, range(20 * i, 20 * (i + 1))) for i in range(3)]


def test_pooled_predictions_keep_patients_as_text_and_know_their_fold(folders):
    pooled = pooled_predictions(folders)
    assert len(pooled) == 60
    assert pooled['patient'].iloc[0] == '0000'
    assert pooled.groupby('fold').size().tolist() == [20, 20, 20]


def test_mean_and_deviation_over_folds(folders):
    maes = [json.loads((f / 'test.json').read_text())['metrics']['ef/mae'] for f in folders]
    figures = over_folds(folders, 'ef')
    assert figures['mae'] == pytest.approx((np.mean(maes), np.std(maes, ddof=1), 3))
    assert figures['quality_poor/r'] == (0.5, 0.0, 2)
    assert 'mae_low' not in figures


def test_the_report_shows_means_next_to_pooled_results(folders):
    metric = EFMetric(n_resamples=50)
    text = report(metric, over_folds(folders, 'ef'), metric.summarise(pooled_predictions(folders)))
    head = [cell.strip() for cell in text.splitlines()[0].split('|')]
    assert head[2:5] == ['n', 'folds', 'mean over folds']
    mae = next(line for line in text.splitlines() if line.startswith('| MAE '))
    assert f'{over_folds(folders, "ef")["mae"][0]:.2f}' in mae
    assert ' to ' in mae
    assert [cell.strip() for cell in mae.split('|')][2:4] == ['60', '3']


def test_the_report_states_the_weight_of_one_recording_in_a_fold(tmp_path):
    """Five folds of 109 recordings; the means are of the folds' own figures, in per cent."""
    metric = DiagnosisMetric(n_resamples=50)
    generator = np.random.default_rng(0)
    label = np.arange(109) % 3 > 0
    score = np.clip(generator.normal(0.3 + 0.4 * label, 0.3), 0, 1)
    folders, accuracies = [], []
    for fold in range(5):
        rows = np.flatnonzero(np.arange(109) % 5 == fold)
        table = pd.DataFrame(
            {
                'video': [f'{i}.avi' for i in rows],
                'patient': [f'p{i}' for i in rows],
                'label': label[rows].astype(int),
                'score': score[rows],
                'predicted': (score[rows] >= 0.5).astype(int),
            }
        )
        folders.append(tmp_path / f'fold_{fold}')
        folders[-1].mkdir()
        table.to_csv(folders[-1] / 'predictions.csv', index=False)
        figures = flatten(metric.summarise(table))
        metrics = {f'diagnosis/{name}': value for name, value in figures.items()}
        (folders[-1] / 'test.json').write_text(json.dumps({'metrics': metrics}))
        accuracies.append(100 * np.mean(table['label'] == table['predicted']))
    pooled = metric.summarise(pooled_predictions(folders))
    text = report(metric, over_folds(folders, metric.prefix), pooled)
    rows = [[cell.strip() for cell in line.split('|')[1:-1]] for line in text.splitlines()]
    accuracy = next(row for row in rows if row and row[0] == 'accuracy (%)')
    of_folds = (f'{np.mean(accuracies):.2f}', f'{np.std(accuracies, ddof=1):.2f}')
    of_all = f'{100 * np.mean(label == (score >= 0.5)):.2f}'
    assert accuracy[1:6] == ['109', '5', *of_folds, of_all]
    assert ' to ' in accuracy[6]
    assert 'one recording changes the accuracy of a fold of 21.8 by 4.6 points' in text
    assert f'one of its 7.4 negatives changes specificity by {100 / (37 / 5):.1f}' in text


def test_a_patient_in_two_folds_is_refused(tmp_path, folders):
    folders.append(write_fold(tmp_path, 3, range(59, 65)))
    with pytest.raises(UserError, match='patient 0059 was tested in 2 folds'):
        pooled_predictions(folders)


def test_two_releases_are_refused(tmp_path, folders):
    folders.append(write_fold(tmp_path, 3, range(60, 65), source='CAMUS, challenge release'))
    with pytest.raises(UserError, match='the folds used different data: CAMUS, CAMUS, challenge'):
        pooled_predictions(folders)


def test_a_fold_is_finished_when_it_has_been_tested(folders):
    assert is_finished(folders[0])
    (folders[0] / 'test.json').unlink()
    assert not is_finished(folders[0])


def test_a_fold_that_lost_predictions_is_refused(folders):
    result = folders[1] / 'test.json'
    metrics = json.loads(result.read_text())['metrics']
    result.write_text(json.dumps({'metrics': {**metrics, 'ef/n': 20, 'ef/quality_poor/n': 3}}))
    assert len(pooled_predictions(folders)) == 60
    table = folders[1] / 'predictions.csv'
    table.write_text('\n'.join(table.read_text().splitlines()[:-1]) + '\n')
    with pytest.raises(UserError, match=r'fold_1/predictions\.csv: 19 predictions, but .* 20\n'):
        pooled_predictions(folders)
    result.write_text('{}')
    with pytest.raises(UserError, match=r'fold_1/test\.json: damaged; holds no metrics'):
        pooled_predictions(folders)
    with pytest.raises(UserError, match=r'fold_1/test\.json: damaged; holds no metrics'):
        over_folds(folders, 'ef')
    result.write_text('{"metrics"')
    with pytest.raises(UserError, match=r'fold_1/test\.json: damaged'):
        pooled_predictions(folders)
