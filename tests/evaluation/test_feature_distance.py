"""Distances are Mahalanobis distances, in units of recordings of patients that were left out."""

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from echocardmae_mm.evaluation.feature_distance import fit_feature_distance


def correlated(count, seed, width=12):
    mix = np.random.default_rng(7).normal(size=(width, width))
    return np.random.default_rng(seed).normal(size=(count, width)) @ mix + 5


def test_is_the_distance_of_scikit_learn():
    features, others = correlated(200, 0), correlated(20, 1)
    distance = fit_feature_distance(features, range(200))
    expected = np.sqrt(LedoitWolf().fit(features).mahalanobis(others))
    found = [distance(other) * distance.unit for other in others]
    np.testing.assert_allclose(found, expected)


def test_few_ordinary_recordings_are_far_and_most_strange_ones():
    distance = fit_feature_distance(correlated(300, 0), range(300), level=0.95)
    far = np.mean([distance(one) > 1 for one in correlated(2000, 1)])
    assert 0.03 < far < 0.07
    strange = correlated(200, 1)[:, ::-1]  # the same values, on other axes
    assert np.mean([distance(one) > 1 for one in strange]) > 0.9


def test_recordings_of_one_patient_do_not_vouch_for_each_other():
    width, patients = 40, np.repeat(np.arange(60), 4)
    own = np.random.default_rng(0).normal(size=(60, width))
    features = own[patients] + 0.1 * np.random.default_rng(1).normal(size=(240, width))
    strict = fit_feature_distance(features, range(240))
    fair = fit_feature_distance(features, patients)
    new = np.random.default_rng(2).normal(size=(1000, width))
    assert np.mean([fair(one) > 1 for one in new]) < 0.1
    assert np.mean([strict(one) > 1 for one in new]) > 0.5


def test_too_few_patients_are_refused():
    with pytest.raises(ValueError, match='49 patients are too few; need 50'):
        fit_feature_distance(correlated(98, 0), np.repeat(np.arange(49), 2))
