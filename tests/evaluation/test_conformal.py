"""Prediction intervals hold the truth as often as Mondrian conformal prediction says."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binom

from echocardmae_mm.evaluation.conformal import ConformalInterval, fit_conformal


def recordings(rng, n):
    """Predictions of a poor model, which shrinks towards the mean and errs more at low truths."""
    truths = rng.uniform(20, 75, n)
    predictions = 55 + 0.5 * (truths - 55) + (80 - truths) / 20 * rng.standard_t(4, n)
    return predictions, truths


def in_groups(predictions, truths, fitted):
    bounds = [-np.inf, *fitted.edges, np.inf]
    for low, high in pairwise(bounds):
        rows = (low <= predictions) & (predictions < high)
        yield predictions[rows], truths[rows]


@pytest.mark.parametrize('n', [19, 20, 57, 60, 99, 100, 101])
@pytest.mark.parametrize('level', [0.5, 0.8, 0.9])
def test_each_end_is_the_closest_that_covers_a_new_recording(n, level):
    predictions, truths = recordings(np.random.default_rng(n), n)
    fitted = fit_conformal(predictions, truths, level)
    for group, (predicted, true) in enumerate(in_groups(predictions, truths, fitted)):
        for sign, distance in ((-1, fitted.below[group]), (1, fitted.above[group])):
            errors = sorted(sign * (t - p) for p, t in zip(predicted, true))
            # A new error is equally likely to lie in each of the gaps between these.
            covering = [
                error
                for error in errors
                if 2 * sum(e <= error for e in errors) >= (len(errors) + 1) * (1 + level) - 1e-9
            ]
            assert distance == max(min(covering), 0.0)


@pytest.mark.parametrize(('n', 'groups'), [(19, 1), (37, 1), (38, 2), (56, 2), (57, 3), (400, 3)])
def test_groups_are_equally_large_and_as_many_as_have_enough_recordings(n, groups):
    predictions, truths = recordings(np.random.default_rng(1), n)
    fitted = fit_conformal(predictions, truths)
    sizes = [len(predicted) for predicted, _ in in_groups(predictions, truths, fitted)]
    assert len(sizes) == len(fitted.below) == len(fitted.above) == groups
    assert max(sizes) - min(sizes) <= 1
    assert fitted.n == n


def test_equal_predictions_share_a_group():
    rng = np.random.default_rng(1)
    fitted = fit_conformal(np.full(60, 55.0), rng.uniform(20, 75, 60))
    assert fitted.edges == []


def test_new_recordings_lie_inside_as_often_as_promised():
    level, new = 0.9, 200
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(300):
        interval = fit_conformal(*recordings(rng, 119), level)
        predictions, truths = recordings(rng, new)
        ends = np.array([interval(prediction) for prediction in predictions])
        inside = (ends[:, 0] <= truths) & (truths <= ends[:, 1])
        lowest = predictions < interval.edges[0]
        shares.append((inside.mean(), inside[lowest].mean()))
    means, errors = np.mean(shares, 0), np.std(shares, 0) / np.sqrt(len(shares))
    assert (means > level - 3 * errors).all()  # overall and among the lowest predictions
    assert (means < level + 0.04).all()  # ranks are rounded up, in groups of 40


def test_a_low_group_has_its_own_bias_and_width():
    predictions, truths = recordings(np.random.default_rng(4), 300)
    fitted = fit_conformal(predictions, truths)
    assert fitted.below[0] > fitted.above[0]  # predicted too high
    assert fitted.below[-1] < fitted.above[-1]
    assert fitted.below[0] + fitted.above[0] > fitted.below[-1] + fitted.above[-1]


def test_a_prediction_lies_inside_its_interval():
    predictions = np.random.default_rng(4).uniform(20, 75, 300)
    fitted = fit_conformal(predictions, predictions - 9)
    assert fitted.above == [0.0, 0.0, 0.0]
    assert fitted(50.0) == (41.0, 50.0)


def test_a_shifted_population_is_not_covered():
    rng = np.random.default_rng(5)
    interval = fit_conformal(*recordings(rng, 100))
    predictions, truths = recordings(rng, 300)
    ends = map(interval, predictions + 15)
    inside = sum(low <= t <= high for t, (low, high) in zip(truths, ends))
    assert inside < binom(300, 0.9).ppf(0.001)


@pytest.mark.parametrize(('level', 'least'), [(0.9, 19), (0.8, 9), (0.5, 3)])
def test_too_few_recordings_are_refused(level, least):
    predictions, truths = recordings(np.random.default_rng(1), least)
    assert fit_conformal(predictions, truths, level).n == least
    with pytest.raises(ValueError, match=f'too few for a level of {level}; need {least}'):
        fit_conformal(predictions[1:], truths[1:], level)


@pytest.mark.parametrize('which', [0, 1])
def test_a_value_that_is_no_number_is_refused(which):
    pairs = recordings(np.random.default_rng(1), 20)
    pairs[which][3] = np.nan
    with pytest.raises(ValueError, match='not a finite number'):
        fit_conformal(*pairs)


@pytest.mark.parametrize('level', [0.8, 0.9])
def test_intervals_equal_those_of_crepes(level):
    crepes = pytest.importorskip('crepes')
    rng = np.random.default_rng(7)
    predictions, truths = recordings(rng, 150)
    new, _ = recordings(rng, 30)
    interval = fit_conformal(predictions, truths, level)
    other = crepes.ConformalPredictiveSystem().fit(
        truths - predictions, bins=np.digitize(predictions, interval.edges)
    )
    bins = np.digitize(new, interval.edges)
    low, high = other.predict_int(new, bins=bins, confidence=level).T
    expected = np.transpose([np.minimum(low, new), np.maximum(high, new)])
    np.testing.assert_allclose([interval(value) for value in new], expected, rtol=1e-9)


def test_the_settings_are_those_of_the_file():
    interval = ConformalInterval(0.9, (50.0,), (20.0, 9.0), (4.0, 8.0), 100)
    assert interval(49.9) == pytest.approx((29.9, 53.9))
    assert interval(50.0) == (41.0, 58.0)
