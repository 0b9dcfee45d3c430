"""MultiClassMetric against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score, roc_auc_score

from echocardmae_mm.evaluation import MultiClassMetric
from echocardmae_mm.utils.errors import UserError


def sample(index, label, scores):
    return {
        'filename': f'/data/{index}.avi',
        'patient': f'p{index // 2}',
        'gt_label': torch.tensor([label]),
        'pred_score': torch.as_tensor(scores),
    }


def evaluated(labels, scores, **kwargs):
    metric = MultiClassMetric(**kwargs)
    metric.dataset_meta = {'classes': ('mild', 'normal', 'severe')}
    metric.process(None, [sample(i, *pair) for i, pair in enumerate(zip(labels, scores))])
    return metric, metric.evaluate(len(labels))


@pytest.fixture
def drawn():
    """Labels and probabilities of 60 recordings, better than chance."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 60)
    logits = rng.normal(size=(60, 3)) + 1.5 * np.eye(3)[labels]
    return labels.tolist(), np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def test_statistics(drawn):
    labels, scores = drawn
    metric, found = evaluated(labels, scores, n_resamples=100)
    predicted = scores.argmax(1)
    expected = {
        'accuracy': 100 * accuracy_score(labels, predicted),
        'balanced_accuracy': 100 * balanced_accuracy_score(labels, predicted),
        'auroc': roc_auc_score(labels, scores, multi_class='ovr'),
        'sensitivity_2': 100 * recall_score(labels, predicted, labels=[2], average='macro'),
        'accuracy_of_majority': 100 * np.bincount(labels).max() / 60,
        'patients': 30,
    }
    assert {name: found[f'classes/{name}'] for name in expected} == pytest.approx(expected)
    assert (
        found['classes/accuracy_low'] < found['classes/accuracy'] < found['classes/accuracy_high']
    )
    assert metric.predictions['predicted'].tolist() == predicted.tolist()
    report = metric.report()
    assert '| sensitivity: severe (%) ' in report
    hits = sum(label == guess == 1 for label, guess in zip(labels, predicted))
    assert found['classes/count_1_1'] == hits
    assert 'predicted normal' in report


def test_a_class_that_is_missing_leaves_its_statistics_undefined():
    _, found = evaluated([0, 1], [[0.8, 0.1, 0.1], [0.7, 0.2, 0.1]], n_resamples=0)
    assert found['classes/accuracy'] == 50
    undefined = ('sensitivity_2', 'balanced_accuracy', 'auroc')
    assert np.isnan([found[f'classes/{name}'] for name in undefined]).all()


def test_scores_that_are_not_finite_are_not_counted_as_right():
    metric, found = evaluated([0, 1], [[np.nan] * 3, [0.1, 0.8, 0.1]], n_resamples=0)
    assert np.isnan(found['classes/accuracy'])
    assert found['classes/count_0_0'] == 0
    assert np.isnan(metric.predictions['predicted'][0])


@pytest.mark.parametrize(
    ('label', 'scores', 'message'),
    [(0, [3.0, -1.0, 0.0], 'not probabilities'), (3, [0.2, 0.3, 0.5], 'label is 3; expected 0 to')],
)
def test_what_is_no_class_is_named(label, scores, message):
    with pytest.raises(UserError, match=message):
        evaluated([label], [scores])
