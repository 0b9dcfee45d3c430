"""DiagnosisMetric, from the host's own head and samples to the report."""

import numpy as np
import pandas as pd
import pytest
import torch
from mmaction.models.heads import TSNHead
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from sklearn.metrics import confusion_matrix

from echocardmae_mm.evaluation import DiagnosisMetric
from echocardmae_mm.evaluation.prediction_metric import flatten
from echocardmae_mm.utils.errors import UserError


def sample(index: int, label: int, scores, **about) -> dict:
    return {
        'filename': f'/data/{index}.avi',
        'gt_label': torch.tensor([label]),
        'pred_score': torch.as_tensor(scores),
        **about,
    }


def many(n: int = 109, recordings: int = 1) -> list[dict]:
    """Recordings of n patients, 66 % of whom are positive, with some wrong predictions."""
    generator = np.random.default_rng(0)
    samples = []
    for patient in range(n):
        label = int(generator.random() < 0.66)
        score = 1 / (1 + np.exp(-generator.normal(1.5 * (2 * label - 1), 1.5)))
        for recording in range(recordings):
            name = patient * recordings + recording
            samples.append(sample(name, label, [1 - score, score], patient=f'p{patient}'))
    return samples


def evaluated(samples: list[dict], **kwargs) -> tuple[DiagnosisMetric, dict]:
    metric = DiagnosisMetric(**kwargs)
    metric.process(None, samples)
    return metric, metric.evaluate(len(samples))


def test_predictions_of_an_mmaction_head_are_accepted():
    """Four clips of each of two recordings, as MMAction2 averages and hands them on."""
    init_default_scope('mmaction')
    logits = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    given = []
    for i in range(2):
        data_sample = ActionDataSample(metainfo=dict(filename=f'/x/{i}.avi', patient=f'p{i}'))
        given.append(data_sample.set_gt_label(i))
    head = TSNHead(num_classes=2, in_channels=4, average_clips='prob')
    metric = DiagnosisMetric(n_resamples=0)
    evaluator = Evaluator(metric)
    evaluator.process(head.predict_by_feat(logits, given))
    evaluator.evaluate(2)
    scores = logits.softmax(1)[:, 1].reshape(2, 4).mean(1).tolist()
    assert metric.predictions.to_dict('records') == [
        {
            'video': f'{i}.avi', 'patient': f'p{i}', 'label': i,
            'score': pytest.approx(score), 'predicted': int(score >= 0.5),
        }
        for i, score in enumerate(scores)
    ]  # fmt: skip


def test_counts_and_intervals_match_a_plain_implementation():
    samples = many()
    metric, metrics = evaluated(samples)
    labels = [int(s['gt_label']) for s in samples]
    called = [int(s['pred_score'][1] >= 0.5) for s in samples]
    tn, fp, fn, tp = confusion_matrix(labels, called).ravel()
    counts = [metrics[f'diagnosis/{name}'] for name in ('tn', 'fp', 'fn', 'tp')]
    assert counts == [tn, fp, fn, tp]
    assert metrics['diagnosis/positives'] == sum(labels)
    assert metrics['diagnosis/negatives'] == 109 - sum(labels)
    assert metrics['diagnosis/sensitivity'] == pytest.approx(100 * tp / (tp + fn))
    share = tp / (tp + fn)
    half = 196 * np.sqrt(share * (1 - share) / (tp + fn))
    width = metrics['diagnosis/sensitivity_high'] - metrics['diagnosis/sensitivity_low']
    assert width == pytest.approx(2 * half, rel=0.2)
    assert set(metric.labels) <= metric.summarise(metric.predictions).keys()


def test_validation_has_the_same_results_without_intervals():
    samples = many()
    _, with_intervals = evaluated(samples, n_resamples=20)
    _, alone = evaluated(samples, n_resamples=0)
    assert not any(name.endswith(('_low', '_high')) for name in alone)
    assert alone == {name: with_intervals[name] for name in alone}


def test_recordings_of_a_patient_are_resampled_together():
    _, one = evaluated(many(60))
    _, four = evaluated(many(60, recordings=4))
    for metrics in (one, four):
        metrics['width'] = metrics['diagnosis/accuracy_high'] - metrics['diagnosis/accuracy_low']
    assert four['diagnosis/n'] == 4 * four['diagnosis/patients'] == 240
    assert four['width'] == pytest.approx(one['width'], rel=0.1)


def test_the_report_states_the_weight_of_one_recording():
    metric, _ = evaluated(many(22), n_resamples=20)
    statistics = metric.statistics
    text = metric.report()
    assert 'One recording changes the accuracy by 4.55 points.' in text
    rows = [[cell.strip() for cell in line.split('|')[1:-1]] for line in text.splitlines()]
    assert ['accuracy (%)', f'{statistics["accuracy"].estimate:.2f}'] in [row[:2] for row in rows]
    assert ['positive', *(str(statistics[name]) for name in ('tp', 'fn', 'positives'))] in rows
    assert ['negative', *(str(statistics[name]) for name in ('fp', 'tn', 'negatives'))] in rows


def test_summary_of_a_table_read_back_is_the_same(tmp_path):
    metric, metrics = evaluated(many(), n_resamples=20)
    metric.predictions.to_csv(tmp_path / 'p.csv', index=False)
    again = flatten(metric.summarise(pd.read_csv(tmp_path / 'p.csv')))
    assert {f'diagnosis/{name}': value for name, value in again.items()} == metrics


@pytest.mark.parametrize(
    ('label', 'scores', 'message'),
    [
        (
            1,
            [0.2, 0.3, 0.5],
            '7.avi: the model predicts 3 classes, expected 2\n.*num_classes=2',
        ),
        (1, [-1.5, 2.0], "7.avi: .* not probabilities\n.*average_clips='prob'"),
        (1, [2.0, 3.0], 'not probabilities'),
        (1, [[0.5, 0.5], [0.4, 0.6]], 'not probabilities'),
        (3, [0.5, 0.5], '7.avi: its label is 3; expected 0 or 1'),
    ],
)
def test_invalid_predictions_raise(label, scores, message):
    with pytest.raises(UserError, match=message):
        DiagnosisMetric().process(None, [sample(7, label, scores)])


def test_nan_scores_have_no_results_and_do_not_count_as_negative():
    samples = many(20)
    samples[3] = sample(3, 1, [np.nan, np.nan])
    metric, metrics = evaluated(samples, n_resamples=20)
    assert np.isnan([metrics[f'diagnosis/{name}'] for name in metric.labels]).all()
    assert sum(metrics[f'diagnosis/{name}'] for name in ('tp', 'fp', 'tn', 'fn')) == 19
    assert set(metric.plots(metric.predictions)) == {'roc', 'confusion', 'calibration'}


def test_plots_of_one_class_have_no_curve_and_empty_tables_no_plots():
    metric, _ = evaluated([sample(i, 1, [0.3, 0.7]) for i in range(3)], n_resamples=0)
    assert set(metric.plots(metric.predictions)) == {'confusion', 'calibration'}
    assert metric.plots(metric.predictions.assign(score=np.nan)) == {}


def test_the_remark_on_folds_omits_an_empty_class():
    remark = DiagnosisMetric().remark_on_folds({'n': 21.8, 'positives': 21.8, 'negatives': 0.0})
    assert 'one recording changes the accuracy of a fold of 21.8 by 4.6 points' in remark
    assert 'specificity' not in remark
