"""A probe finds what is linear in the features, and never sees the patients that it predicts."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from echocardmae_mm.datasets.patient_folds import stratified_folds
from echocardmae_mm.evaluation.linear_probe import linear_probe


@pytest.fixture
def cohort():
    """60 patients with two recordings each, five features, and folds."""
    rng = np.random.default_rng(0)
    patients = np.repeat([f'p{index:02}' for index in range(60)], 2)
    features = rng.normal(size=(120, 5))
    folds = stratified_folds(patients.tolist(), [0] * 120, 5)
    return features, patients, folds


def test_a_ridge_without_noise_is_the_least_squares_fit(cohort):
    features, patients, folds = cohort
    targets = features @ [3.0, -2, 1, 0, 5] + 55
    probed = linear_probe(features, targets, patients, folds)
    assert probed.patients == 48
    fold_of = np.array([folds[patient] for patient in patients])
    for fold in range(5):
        fit = LinearRegression().fit(features[fold_of != fold], targets[fold_of != fold])
        expected = fit.predict(features[fold_of == fold])
        np.testing.assert_allclose(probed.predicted[fold_of == fold], expected, atol=0.05)


def test_features_that_only_name_the_patient_predict_nothing(cohort):
    _, patients, folds = cohort
    names = np.equal.outer(patients, np.unique(patients)).astype(float)
    targets = np.repeat(np.random.default_rng(1).normal(55, 10, 60), 2)
    predicted = linear_probe(names, targets, patients, folds).predicted
    assert np.abs(predicted - targets).mean() > 0.9 * np.abs(targets - targets.mean()).mean()


def test_classes_get_probabilities_and_more_labels_are_better(cohort):
    features, patients, folds = cohort
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(120, 10))
    targets = (features[:, 0] > 0).astype(int) + (features[:, 1] > 1)
    everything = np.hstack([features, noise])
    accuracy = {}
    for share in (0.01, 1.0):
        probed = linear_probe(everything, targets, patients, folds, share)
        np.testing.assert_allclose(probed.predicted.sum(1), 1)
        accuracy[share] = (probed.predicted.argmax(1) == targets).mean()
    assert accuracy[1.0] > max(0.7, accuracy[0.01] + 0.1)


def test_the_smallest_share_has_two_patients_and_all_classes(cohort):
    features, patients, folds = cohort
    targets = np.where(np.isin(patients, ['p00', 'p07', 'p11', 'p31', 'p44', 'p51']), 1, 0)
    folds = stratified_folds(patients.tolist(), targets.tolist(), 3)
    probed = linear_probe(features, targets, patients, folds, share=0.01)
    assert 2 <= probed.patients <= 40
    assert (probed.predicted[:, 1] > 0).all()
    regression = linear_probe(features, features[:, 0], patients, folds, share=0.01)
    assert regression.patients == 2
    other = linear_probe(features, features[:, 0], patients, folds, share=0.01, seed=1)
    assert not np.array_equal(regression.predicted, other.predicted)


def test_two_recordings_are_too_few_to_choose_a_weak_penalty(cohort):
    features, patients, folds = (cohort[0][::2], cohort[1][::2], cohort[2])
    probed = linear_probe(features, features[:, 0], patients, folds, share=0.01)
    for fold in range(5):
        members = np.array([folds[patient] == fold for patient in patients])
        assert np.ptp(probed.predicted[members]) < 0.01  # the mean of the two
