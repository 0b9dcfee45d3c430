import numpy as np
import pytest
from scipy import stats

from echocardmae_mm.evaluation import bootstrap_interval


def mean(sample: np.ndarray, axis: int = -1) -> np.ndarray:
    return sample.mean(axis)


def difference(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
    return a.mean(axis) - b.mean(axis)


def test_agrees_with_the_normal_interval_on_a_large_sample():
    sample = np.random.default_rng(3).normal(5, 2, 400)
    interval = bootstrap_interval(mean, sample)
    low, high = stats.norm.interval(0.95, sample.mean(), sample.std(ddof=1) / 20)
    assert interval.estimate == pytest.approx(sample.mean())
    assert interval.low == pytest.approx(low, abs=0.03)
    assert interval.high == pytest.approx(high, abs=0.03)


def test_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(11)
    covered = 0
    for trial in range(200):
        interval = bootstrap_interval(mean, generator.normal(1, 1, 60), resamples=400, seed=trial)
        covered += interval.low <= 1 <= interval.high
    assert 180 <= covered <= 199


def test_samples_are_resampled_together():
    generator = np.random.default_rng(5)
    subject = generator.normal(0, 10, 100)
    paired = bootstrap_interval(difference, subject + 1, subject)
    assert paired.low == pytest.approx(1)
    assert paired.high == pytest.approx(1)


def test_is_the_same_for_a_seed_and_another_for_another():
    sample = np.random.default_rng(0).random(30)
    assert bootstrap_interval(mean, sample, seed=1) == bootstrap_interval(mean, sample, seed=1)
    assert bootstrap_interval(mean, sample, seed=1) != bootstrap_interval(mean, sample, seed=2)


def test_one_unit_has_no_interval():
    interval = bootstrap_interval(mean, np.array([3.0]))
    assert interval.estimate == 3
    assert np.isnan([interval.low, interval.high]).all()
