"""Against scikit-learn, ties and repeated recordings included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn import metrics

from echocardmae_mm.evaluation.discrimination import (
    auroc,
    average_precision,
    mean_ranks,
    operating_points,
)

FEW_SCORES = st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=1, max_size=60)


@given(st.lists(st.sampled_from([-1.5, 0.0, 0.25, 3.0]), min_size=1, max_size=12))
def test_ranks_are_scipys(scores):
    assert mean_ranks(np.array(scores)).tolist() == rankdata(scores).tolist()
    assert np.isnan(mean_ranks(np.array([*scores, np.nan]))).all()


@settings(max_examples=150)
@given(FEW_SCORES)
def test_agrees_with_scikit_learn_with_ties(recordings):
    positive, scores = (np.array(column) for column in zip(*recordings))
    scores = scores / 12
    ours = auroc(mean_ranks(scores), positive)
    if 0 < positive.sum() < len(positive):
        assert ours == pytest.approx(metrics.roc_auc_score(positive, scores))
    else:
        assert np.isnan(ours)
    if positive.any():
        expected = metrics.average_precision_score(positive, scores)
        assert average_precision(scores, positive) == pytest.approx(expected)
    else:
        assert np.isnan(average_precision(scores, positive))


@settings(max_examples=60)
@given(FEW_SCORES, st.integers(0, 10**6))
def test_a_recording_drawn_k_times_weighs_k_times(recordings, seed):
    positive, scores = (np.array(column) for column in zip(*recordings))
    rows = np.random.default_rng(seed).integers(0, len(positive), len(positive))
    weights = np.bincount(rows, minlength=len(positive))
    drawn = positive[rows]
    if 0 < drawn.sum() < len(drawn):
        expected = metrics.roc_auc_score(positive, scores, sample_weight=weights)
        assert auroc(mean_ranks(scores[rows]), drawn) == pytest.approx(expected)
        expected = metrics.average_precision_score(positive, scores, sample_weight=weights)
        assert average_precision(scores[rows], drawn) == pytest.approx(expected)


@settings(max_examples=60)
@given(FEW_SCORES)
def test_operating_points_match_counts_at_each_threshold(recordings):
    positive, scores = (np.array(column) for column in zip(*recordings))
    found, false = operating_points(scores, positive)
    thresholds = sorted(set(scores.tolist()), reverse=True)
    assert found.tolist() == [(positive & (scores >= t)).sum() for t in thresholds]
    assert false.tolist() == [(~positive & (scores >= t)).sum() for t in thresholds]
