"""EFMetric, from predictions to the report; a useless model is exposed."""

import numpy as np
import pandas as pd
import pytest
import torch

from echocardmae_mm.evaluation import EFMetric, Interval
from echocardmae_mm.evaluation.prediction_metric import flatten
from echocardmae_mm.utils.errors import UserError


def sample(index: int, ef: float, clips: list[float], **about) -> dict:
    values = torch.tensor(clips)
    return {
        'filename': f'/data/Videos/{index}.avi',
        'ef': ef,
        'pred_ef': float(values.mean()),
        'pred_ef_clips': values,
        'padded_frames': 0,
        **about,
    }


def evaluated(samples: list[dict], **kwargs) -> tuple[EFMetric, dict]:
    metric = EFMetric(**kwargs)
    metric.process(None, samples)
    return metric, metric.evaluate(len(samples))


def many(error: float, n: int = 80, **about) -> list[dict]:
    generator = np.random.default_rng(0)
    efs = generator.normal(52, 13, n).clip(8, 85)
    return [sample(i, ef, [ef + generator.normal(0, error)], **about) for i, ef in enumerate(efs)]


def test_a_row_holds_prediction_and_spread_over_the_clips():
    metric, _ = evaluated(
        [
            sample(1, 50.0, [48.0, 52.0, 56.0], patient='p1', quality='Poor', padded_frames=7),
            sample(2, 61.25, [60.0], patient='p2', quality='Good'),
        ]
    )
    first, second = metric.predictions.to_dict('records')
    assert first == {
        'video': '1.avi', 'patient': 'p1', 'quality': 'Poor', 'ef': 50.0, 'prediction': 52.0,
        'clip_sd': pytest.approx(4.0), 'clip_range': 8.0, 'clips': 3, 'padded_frames': 7,
    }  # fmt: skip
    assert second['ef'] == 61.25
    assert np.isnan(second['clip_sd'])


def test_results_and_intervals_match_a_plain_implementation():
    samples = many(6)
    _, metrics = evaluated(samples)
    errors = np.array([s['pred_ef'] - s['ef'] for s in samples])
    assert metrics['ef/n'] == metrics['ef/patients'] == 80
    assert metrics['ef/mae'] == pytest.approx(np.abs(errors).mean())
    assert metrics['ef/mae_low'] < metrics['ef/mae'] < metrics['ef/mae_high']
    half = 1.96 * np.abs(errors).std(ddof=1) / np.sqrt(80)
    assert metrics['ef/mae_high'] - metrics['ef/mae'] == pytest.approx(half, rel=0.3)
    assert metrics['ef/ef_from_50/n'] == sum(s['ef'] >= 50 for s in samples)
    assert metrics['ef/mae_ratio_high'] < 1


def test_a_constant_model_is_exposed():
    samples = [sample(i, ef, [55.0, 55.0]) for i, ef in enumerate(np.linspace(20, 75, 40))]
    metric, metrics = evaluated(samples)
    assert metrics['ef/mae_ratio'] >= 1
    assert np.isnan(metrics['ef/r'])
    assert metrics['ef/auroc_below_50'] == 0.5
    text = metric.report()
    assert '| Pearson r ' in text
    assert 'not defined' in text


def test_results_by_image_quality():
    samples = [*many(3, 30, quality='Good'), *many(3, 12, quality='Medium')]
    samples += [{**s, 'filename': f'{i}p.avi'} for i, s in enumerate(many(12, 20, quality='Poor'))]
    _, metrics = evaluated(samples)
    assert metrics['ef/quality_good_or_medium/n'] == 42
    assert metrics['ef/quality_poor/n'] == 20
    assert metrics['ef/quality_poor/mae_low'] > metrics['ef/quality_good_or_medium/mae']
    assert not any('quality' in name for name in evaluated(many(3))[1])


def test_without_resamples_only_overall_results():
    _, metrics = evaluated(many(5), n_resamples=0)
    assert not any(name.endswith(('_low', '_high')) for name in metrics)
    assert 'ef/mae' in metrics
    assert 'ef/ef_below_30/mae' not in metrics


def test_both_views_of_a_patient_are_one_patient():
    samples = [
        {**s, 'filename': f'{s["filename"]}_{view}', 'patient': str(i), 'view': view}
        for i, s in enumerate(many(6, 40))
        for view in ('2CH', '4CH')
    ]
    _, metrics = evaluated(samples)
    assert (metrics['ef/n'], metrics['ef/patients']) == (80, 40)
    one_view, _ = evaluated(many(6, 40))
    width = metrics['ef/mae_high'] - metrics['ef/mae_low']
    alone = one_view.summarise(one_view.predictions)['mae']
    assert width == pytest.approx(alone.high - alone.low, rel=0.15)


def test_padded_recordings_are_counted():
    samples = many(5, 10)
    samples[3]['padded_frames'] = 12
    assert evaluated(samples)[1]['ef/padded'] == 1


def test_summary_of_a_table_read_back_is_the_same(tmp_path):
    metric, metrics = evaluated(many(5))
    metric.predictions.to_csv(tmp_path / 'p.csv', index=False)
    again = flatten(metric.summarise(pd.read_csv(tmp_path / 'p.csv')))
    assert {f'ef/{name}': value for name, value in again.items()} == pytest.approx(
        metrics, nan_ok=True
    )


def test_flatten_gives_ends_only_to_intervals_that_have_them():
    numbers = flatten({'n': 3, 'a': Interval(1, 0, 2), 'b': Interval(1, np.nan, np.nan)})
    assert numbers == {'n': 3, 'a': 1, 'a_low': 0, 'a_high': 2, 'b': 1}


def test_every_label_is_a_statistic_that_exists():
    metric, _ = evaluated(many(5, quality='Poor'))
    assert set(metric.labels) <= metric.summarise(metric.predictions).keys()
    assert set(metric.plots(metric.predictions)) == {
        'predicted_against_true', 'bland_altman', 'error_by_ef_class'
    }  # fmt: skip


def test_a_missing_key_is_named():
    lacking = sample(1, 50.0, [48.0])
    del lacking['filename']
    with pytest.raises(UserError, match=r"EFMetric: a sample has no '\w+'\nAdd it to meta_keys"):
        EFMetric().process(None, [lacking])
    metric, _ = evaluated([{**lacking, 'img_path': '/data/a.png'}] * 2, n_resamples=0)
    assert metric.predictions['video'].tolist() == ['a.png', 'a.png']
