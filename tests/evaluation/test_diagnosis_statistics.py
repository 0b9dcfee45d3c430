"""Against scikit-learn on random data, and against plain words."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from echocardmae_mm.evaluation.diagnosis_statistics import diagnosis_statistics


def of_scikit_learn(positive, scores, weights=None) -> dict[str, float]:
    called = scores >= 0.5
    options = dict(sample_weight=weights, zero_division=np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return {
            'sensitivity': 100 * metrics.recall_score(positive, called, **options),
            'specificity': 100 * metrics.recall_score(~positive, ~called, **options),
            'precision': 100 * metrics.precision_score(positive, called, **options),
            'f1': 100 * metrics.f1_score(positive, called, **options),
            'accuracy': 100 * metrics.accuracy_score(positive, called, sample_weight=weights),
            'brier': np.average((scores - positive) ** 2, weights=weights),
        }


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=1, max_size=40),
    st.integers(0, 10**6),
)
def test_agrees_with_scikit_learn_repeated_recordings_included(recordings, seed):
    positive, eighths = (np.array(column) for column in zip(*recordings))
    scores = eighths / 8
    rows = np.random.default_rng(seed).integers(0, len(positive), len(positive))
    ours = diagnosis_statistics(positive, scores)
    expected = of_scikit_learn(positive, scores)
    assert {name: ours[name] for name in expected} == pytest.approx(expected, nan_ok=True)
    ours = diagnosis_statistics(positive[rows], scores[rows])
    expected = of_scikit_learn(positive, scores, np.bincount(rows, minlength=len(positive)))
    assert {name: ours[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def test_a_score_of_one_half_is_positive():
    assert diagnosis_statistics(np.array([True]), np.array([0.5]))['sensitivity'] == 100


@pytest.mark.parametrize(('share', 'constant'), [(0.66, 1.0), (0.3, 0.0)])
def test_constant_predictions_match_the_baselines(share, constant):
    positive = np.arange(100) < 100 * share
    ours = diagnosis_statistics(positive, np.full(100, constant))
    assert ours['accuracy'] == ours['accuracy_of_majority'] == 100 * max(share, 1 - share)
    assert ours['auroc'] == 0.5
    assert ours['auprc'] == pytest.approx(share)
    of_all_positive = diagnosis_statistics(positive, np.ones(100))['f1']
    assert ours['f1_of_all_positive'] == pytest.approx(of_all_positive)


def test_one_class_leaves_some_statistics_undefined():
    scores = np.array([0.2, 0.4])
    healthy = diagnosis_statistics(np.zeros(2, bool), scores)
    assert {name for name, value in healthy.items() if np.isnan(value)} == {
        'sensitivity', 'precision', 'f1', 'auroc', 'auprc', 'f1_of_all_positive'
    }  # fmt: skip
    ill = diagnosis_statistics(np.ones(2, bool), scores)
    assert {name for name, value in ill.items() if np.isnan(value)} == {
        'specificity', 'precision', 'auroc'
    }  # fmt: skip


def test_a_nan_score_makes_all_statistics_undefined():
    ours = diagnosis_statistics(np.array([True, False]), np.array([0.9, np.nan]))
    assert np.isnan([*ours.values()]).all()
    assert ours.keys() == diagnosis_statistics(np.array([True]), np.array([0.9])).keys()
