"""Prediction intervals hold the truth as often as split conformal prediction says."""

from decimal import Decimal

import numpy as np
import pytest
from scipy.stats import beta, binom

from echocardmae_mm.evaluation.conformal import ConformalInterval, fit_conformal


def recordings(rng, n):
    """Predictions and truths with the skewed errors of a poor model, and the clips' spreads."""
    truths = rng.uniform(20, 75, n)
    spreads = rng.gamma(2.0, 1.5, n)
    return truths + (0.5 + spreads) * rng.standard_t(4, n) + 2, truths, spreads


@pytest.mark.parametrize('n', [9, 10, 19, 20, 57, 99, 100, 101])
@pytest.mark.parametrize('level', ['0.5', '0.55', '0.8', '0.9'])
def test_the_quantile_is_the_smallest_that_covers_a_new_recording(n, level):
    predictions, truths, _ = recordings(np.random.default_rng(n), n)
    fitted = fit_conformal(predictions, truths, level=float(level))
    # The error of a new recording is equally likely to lie in each of the n + 1 gaps.
    for error in sorted(abs(p - t) for p, t in zip(predictions, truths)):
        below = sum(abs(p - t) <= error for p, t in zip(predictions, truths))
        if below >= (n + 1) * Decimal(level):
            break
    assert fitted == ConformalInterval(float(level), error, 0.0, n)


@pytest.mark.parametrize('weight', [0.0, 0.7])
def test_new_recordings_lie_inside_as_often_as_promised(weight):
    level, n, new, rounds = 0.9, 60, 50, 400
    rng = np.random.default_rng(3)
    inside = np.zeros(rounds)
    for index in range(rounds):
        interval = fit_conformal(*recordings(rng, n), level=level, spread_weight=weight)
        for prediction, truth, spread in zip(*recordings(rng, new)):
            low, high = interval(prediction, spread)
            inside[index] += low <= truth <= high
    # Over calibrations, the coverage of one has a beta distribution (Vovk 2012).
    rank = int(np.ceil((n + 1) * level))
    coverage = beta(rank, n + 1 - rank)
    sd = np.sqrt((coverage.var() + coverage.mean() * (1 - coverage.mean()) / new) / rounds)
    assert inside.mean() / new == pytest.approx(coverage.mean(), abs=3.5 * sd)
    assert coverage.mean() >= level


def test_a_shifted_population_is_not_covered():
    rng = np.random.default_rng(5)
    interval = fit_conformal(*recordings(rng, 100)[:2])
    predictions, truths, _ = recordings(rng, 300)
    inside = sum(low <= t <= high for t, (low, high) in zip(truths, map(interval, predictions + 9)))
    assert inside < binom(300, 0.9).ppf(0.001)


@pytest.mark.parametrize(('level', 'least'), [(0.9, 9), (0.8, 4), (0.5, 1)])
def test_too_few_recordings_are_refused(level, least):
    predictions, truths, _ = recordings(np.random.default_rng(1), least)
    assert fit_conformal(predictions, truths, level=level).n == least
    with pytest.raises(ValueError, match=f'too few for a level of {level}; need {least}'):
        fit_conformal(predictions[1:], truths[1:], level=level)


def test_the_width_grows_with_the_spread_of_the_clips():
    predictions, truths, spreads = recordings(np.random.default_rng(2), 200)
    constant = fit_conformal(predictions, truths, spreads)
    assert constant(50.0, 0.0) == constant(50.0, 6.0)
    adaptive = fit_conformal(predictions, truths, spreads, spread_weight=0.5)
    low, high = adaptive(50.0, 4.0)
    assert high - low == pytest.approx(3 * 2 * adaptive.quantile)
    assert low + high == pytest.approx(100)
    ends = [adaptive(p, s) for p, s in zip(predictions, spreads)]
    assert sum(low <= t <= high for t, (low, high) in zip(truths, ends)) == 181


@pytest.mark.parametrize('which', [0, 1])
def test_a_value_that_is_no_number_is_refused(which):
    pairs = recordings(np.random.default_rng(1), 20)[:2]
    pairs[which][3] = np.nan
    with pytest.raises(ValueError, match='not a finite number'):
        fit_conformal(*pairs)


@pytest.mark.parametrize('adaptive', [False, True])
@pytest.mark.parametrize('level', [0.8, 0.9])
def test_intervals_equal_those_of_crepes(level, adaptive):
    crepes = pytest.importorskip('crepes')
    rng = np.random.default_rng(7)
    predictions, truths, spreads = recordings(rng, 150)
    new, _, new_spreads = recordings(rng, 30)
    weight = 0.5 if adaptive else 0.0
    interval = fit_conformal(predictions, truths, spreads, level, spread_weight=weight)
    sigmas = {'sigmas': 1 + weight * spreads} if adaptive else {}
    other = crepes.ConformalRegressor().fit(truths - predictions, **sigmas)
    sigmas = {'sigmas': 1 + weight * new_spreads} if adaptive else {}
    expected = other.predict_int(new, confidence=level, **sigmas)
    ends = [interval(prediction, spread) for prediction, spread in zip(new, new_spreads)]
    np.testing.assert_allclose(ends, expected, rtol=1e-9)
