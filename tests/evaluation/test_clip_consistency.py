"""Intraclass correlation against a plain analysis of variance and simulated truth; the verdict."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from echocardmae_mm.evaluation import ClipConsistencyMetric, Interval
from echocardmae_mm.evaluation.clip_consistency import (
    consistency,
    consistency_difference,
    intraclass_correlation,
    is_more_consistent,
)
from echocardmae_mm.utils.errors import UserError


def simulated(
    within: float, between: float = 10, videos: int = 150, seed: int = 0, error: float = 4
) -> pd.DataFrame:
    """Clips whose predictions vary by known amounts; the truth does not depend on the seed."""
    truth = np.random.default_rng(99).normal(55, between, videos)
    generator = np.random.default_rng(seed)
    rows = [
        {'patient': str(v), 'video': f'{v}.avi', 'ef': ef, 'start': start, 'prediction': p}
        for v, ef in enumerate(truth)
        for centre in [ef + generator.normal(0, error)]
        for start, p in enumerate(centre + generator.normal(0, within, 5 + v % 7))
    ]
    return pd.DataFrame(rows)


@settings(max_examples=40)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=12).filter(lambda s: max(s) > 1),
    seed=st.integers(0, 10**6),
)
def test_icc_against_a_plain_analysis_of_variance(sizes, seed):
    generator = np.random.default_rng(seed)
    groups = [generator.normal(generator.normal(0, 2), 1, size) for size in sizes]
    values = np.concatenate(groups)
    total, k = len(values), len(groups)
    between = sum(len(g) * (g.mean() - values.mean()) ** 2 for g in groups) / (k - 1)
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (total - k)
    size = (total - sum(len(g) ** 2 for g in groups) / total) / (k - 1)
    expected = (between - within) / (between + (size - 1) * within)
    ours = intraclass_correlation(
        np.array(sizes, float),
        np.array([g.mean() for g in groups]),
        np.array([g.std(ddof=1) if len(g) > 1 else 0 for g in groups]),
    )
    assert ours == pytest.approx(expected)


def test_icc_is_the_share_of_variance_between_recordings():
    clips = simulated(within=5, between=10, videos=3000, error=0)
    assert consistency(clips, n_resamples=0)['icc'].estimate == pytest.approx(
        100 / (100 + 25), abs=0.02
    )


def test_spread_and_error_match_their_definitions():
    clips = pd.DataFrame(
        {
            'patient': ['a', 'a', 'b', 'b'],
            'video': ['a', 'a', 'b', 'b'],
            'ef': [50.0, 50.0, 60.0, 60.0],
            'prediction': [48.0, 52.0, 61.0, 65.0],
        }
    )
    ours = {name: value.estimate for name, value in consistency(clips, n_resamples=0).items()}
    assert ours['within_range'] == 4
    assert ours['within_sd'] == pytest.approx(np.std([48, 52], ddof=1))
    assert ours['mae'] == 1.5  # of the means 50 and 63
    assert ours['mae_of_one_clip'] == 2.5


def test_less_spread_with_the_same_error_is_more_consistent():
    difference = consistency_difference(
        [(simulated(6, seed=1), simulated(2, seed=1))], n_resamples=300
    )
    assert difference['within_sd'].high < 0
    assert is_more_consistent(difference, margin=0.5)


def test_the_same_model_is_not_more_consistent_than_itself():
    clips = simulated(4)
    difference = consistency_difference([(clips, clips)], n_resamples=100)
    assert difference['icc'] == (0, 0, 0)
    assert not is_more_consistent(difference, margin=0.5)


def test_a_constant_prediction_has_no_spread_and_is_not_more_consistent():
    clips = simulated(4)
    constant = clips.assign(prediction=55.0 + 1e-3 * (np.arange(len(clips)) % 3))
    difference = consistency_difference([(clips, constant)], n_resamples=300)
    assert difference['within_sd'].high < 0
    assert not is_more_consistent(difference, margin=0.5)


def test_shrinking_towards_the_mean_is_not_more_consistent():
    """Halving all deviations halves the spread, leaves the correlation and raises the error."""
    clips = simulated(4)
    shrunk = clips.assign(prediction=55 + 0.25 * (clips['prediction'] - 55))
    difference = consistency_difference([(clips, shrunk)], n_resamples=300)
    assert difference['within_sd'].high < 0
    assert difference['icc'].estimate == pytest.approx(0, abs=1e-9)
    assert not is_more_consistent(difference, margin=0.5)


@pytest.mark.parametrize(
    ('icc', 'mae', 'claimed'),
    [
        ((0.01, 0.1), (-1, 0.4), True),
        ((-0.01, 0.1), (-1, 0.4), False),
        ((0.01, 1), (0, 0.6), False),
        ((0.01, 1), (0.1, 0.4), False),
    ],
)
def test_the_verdict_needs_both(icc, mae, claimed):
    difference = {'icc': Interval(0, *icc), 'mae': Interval(0, *mae)}
    assert is_more_consistent(difference, margin=0.5) is claimed


def test_several_runs_are_averaged_and_their_spread_counts():
    runs = [(simulated(6, seed=1), simulated(spread, seed=1)) for spread in (1, 2, 5)]
    alone = [consistency_difference([run], n_resamples=200)['within_sd'] for run in runs]
    together = consistency_difference(runs, n_resamples=500)['within_sd']
    assert together.estimate == pytest.approx(np.mean([one.estimate for one in alone]))
    widest = max(one.high - one.low for one in alone)
    assert together.high - together.low > 2 * widest


def test_other_clips_are_refused():
    with pytest.raises(UserError, match='tested on different clips'):
        consistency_difference([(simulated(4), simulated(4).iloc[1:])])


def test_the_metric_keeps_every_clip():
    metric = ClipConsistencyMetric(n_resamples=0)
    metric.process(
        None,
        [
            {
                'filename': f'videos/{name}.avi',
                'patient': name,
                'ef': ef,
                'clip_starts': [*range(count)],
                'pred_ef_clips': torch.arange(count) + ef,
            }
            for name, ef, count in (('a', 50.0, 3), ('b', 60.0, 1))
        ],
    )
    metrics = metric.evaluate(2)
    assert metrics['consistency/videos'] == 2
    assert metrics['consistency/clips'] == len(metric.clips) == 4
    assert metric.clips['prediction'].tolist() == [50, 51, 52, 60]
    assert metric.clips['start'].tolist() == [0, 1, 2, 0]
    assert metrics['consistency/within_range'] == 2  # of the one that has several clips
