"""Against scipy and scikit-learn on random data, and against plain words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics

from echocardmae_mm.evaluation.ef_statistics import (
    LOW_EF_THRESHOLDS,
    ef_classes,
    ef_statistics,
    pearson_r,
    statistics_by_group,
)


def random_pair(seed: int, n: int, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    ef = generator.normal(52, 14, n).clip(5, 90)
    predicted = ef + generator.normal(1, 8, n)
    return ef, predicted.round(-1) if ties else predicted


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), n=st.integers(3, 200), ties=st.booleans())
def test_agrees_with_other_libraries(seed, n, ties):
    ef, predicted = random_pair(seed, n, ties)
    ours = ef_statistics(ef, predicted)
    assert ours['mae'] == pytest.approx(metrics.mean_absolute_error(ef, predicted))
    assert ours['rmse'] == pytest.approx(metrics.root_mean_squared_error(ef, predicted))
    assert ours['r2'] == pytest.approx(metrics.r2_score(ef, predicted))
    if np.ptp(predicted) > 0:
        assert ours['r'] == pytest.approx(stats.pearsonr(ef, predicted).statistic)
        assert ours['slope'] == pytest.approx(stats.linregress(predicted, ef).slope)
    baseline = metrics.mean_absolute_error(ef, np.full(n, np.median(ef)))
    assert ours['mae_of_median'] == pytest.approx(baseline)
    for threshold in LOW_EF_THRESHOLDS:
        low = ef < threshold
        if 0 < low.sum() < n:
            expected = metrics.roc_auc_score(low, -predicted)
            assert ours[f'auroc_below_{threshold}'] == pytest.approx(expected)
        else:
            assert np.isnan(ours[f'auroc_below_{threshold}'])


def test_limits_of_agreement_hold_95_percent_of_normal_differences():
    ef, predicted = random_pair(1, 20000)
    ours = ef_statistics(ef, predicted)
    inside = (predicted - ef > ours['loa_lower']) & (predicted - ef < ours['loa_upper'])
    assert inside.mean() == pytest.approx(0.95, abs=0.005)
    assert ours['bias'] == pytest.approx((predicted - ef).mean())


def test_no_constant_beats_the_median():
    ef, _ = random_pair(2, 101)
    of_median = ef_statistics(ef, ef)['mae_of_median']
    for constant in np.linspace(0, 100, 201):
        assert ef_statistics(ef, np.full(101, constant))['mae'] >= of_median - 1e-9


def test_a_model_that_predicts_the_median_has_ratio_1_and_no_correlation():
    ef, _ = random_pair(3, 50)
    ours = ef_statistics(ef, np.full(50, np.median(ef)))
    assert ours['mae_ratio'] == pytest.approx(1)
    assert np.isnan(ours['r'])


def test_one_recording():
    ours = ef_statistics(np.array([50.0]), np.array([53.0]))
    assert ours['mae'] == 3
    assert np.isnan([ours['r'], ours['r2'], ours['loa_lower'], ours['mae_ratio']]).all()


@settings(max_examples=30)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=60))
def test_every_ef_has_exactly_one_class(efs):
    classes = ef_classes(np.array(efs))
    assert (np.sum([*classes.values()], axis=0) == 1).all()


def test_class_boundaries():
    classes = ef_classes(np.array([29.9, 30.0, 39.9, 40.0, 49.9, 50.0]))
    members = {name: np.flatnonzero(inside).tolist() for name, inside in classes.items()}
    assert members == {
        'ef_below_30': [0],
        'ef_30_to_40': [1, 2],
        'ef_40_to_50': [3, 4],
        'ef_from_50': [5],
    }


def test_groups_are_counted_and_may_be_empty():
    ef, predicted = random_pair(5, 40)
    groups = {'low': ef < 50, 'none': np.zeros(40, bool)}
    ours = statistics_by_group(ef, predicted, groups)
    assert ours['low/mae'] == pytest.approx(np.abs(predicted - ef)[ef < 50].mean())
    assert np.isnan(ours['none/mae'])
    assert np.isnan([ours['none/mae'], ours['none/bias'], ours['none/r']]).all()


def test_two_values_have_no_correlation():
    assert np.isnan(pearson_r(np.array([1.0, 2.0]), np.array([1.0, 2.0])))
