import numpy as np
import pytest
from scipy import stats

from echocardmae_mm.evaluation import Interval, bootstrap_intervals
from echocardmae_mm.evaluation.bootstrap import interval_cells
from echocardmae_mm.evaluation.diagnosis_statistics import diagnosis_statistics
from echocardmae_mm.evaluation.ef_statistics import ef_statistics


def interval_of_mean(sample: np.ndarray, patients: np.ndarray | None = None, **kwargs) -> Interval:
    patients = np.arange(len(sample)) if patients is None else patients
    return bootstrap_intervals(lambda rows: {'mean': sample[rows].mean()}, patients, **kwargs)[
        'mean'
    ]


def test_agrees_with_scipy():
    sample = np.random.default_rng(8).exponential(3, 80)
    result = stats.bootstrap(
        (sample,), np.mean, n_resamples=5000, method='percentile', rng=np.random.default_rng(1)
    )
    interval = interval_of_mean(sample, n_resamples=5000)
    assert interval.low == pytest.approx(result.confidence_interval.low, abs=0.05)
    assert interval.high == pytest.approx(result.confidence_interval.high, abs=0.05)


def test_intervals_have_their_nominal_coverage():
    generator = np.random.default_rng(11)
    covered = 0
    for trial in range(200):
        interval = interval_of_mean(generator.normal(1, 1, 60), n_resamples=400, seed=trial)
        covered += interval.low <= 1 <= interval.high
    assert 180 <= covered <= 199


def test_recordings_of_a_patient_count_as_one_and_the_interval_covers():
    """Five equal recordings of each patient hold no more than one; as if independent, it fails."""
    generator = np.random.default_rng(2)
    covered = naive = 0
    for trial in range(200):
        of_patient = generator.normal(1, 1, 40)
        sample, patients = np.repeat(of_patient, 5), np.repeat(np.arange(40), 5)
        shuffled = generator.permutation(200)
        interval = interval_of_mean(
            sample[shuffled], patients[shuffled], n_resamples=300, seed=trial
        )
        covered += interval.low <= 1 <= interval.high
        interval = interval_of_mean(sample, n_resamples=300, seed=trial)
        naive += interval.low <= 1 <= interval.high
    assert 178 <= covered <= 199
    assert naive < 150


def test_patients_come_with_all_their_recordings():
    patients = np.array(['a', 'b', 'a', 'c', 'b', 'a'])
    seen = set()

    def statistics(rows):
        names, counts = np.unique(patients[rows], return_counts=True)
        sizes = {'a': 3, 'b': 2, 'c': 1}
        assert all(count % sizes[name] == 0 for name, count in zip(names, counts))
        assert sum(count // sizes[name] for name, count in zip(names, counts)) == 3
        seen.add(len(rows))
        return {'n': len(rows)}

    bootstrap_intervals(statistics, patients, n_resamples=200)
    assert {3, 9} <= seen


def test_intervals_of_agreement_cover_the_truth():
    """Of normal EF and errors all these are known, or found from a sample of a million."""

    def draw(generator, n):
        ef = np.clip(generator.normal(52, 12, n), 0, 100)
        return ef, 5 + 0.9 * ef + generator.normal(0, 6, n)

    names = ('mae', 'r', 'r2', 'loa_upper', 'mae_ratio', 'auroc_below_50')
    truth = ef_statistics(*draw(np.random.default_rng(0), 10**6))
    inside, trials = dict.fromkeys(names, 0), 150
    for trial in range(trials):
        ef, predicted = draw(np.random.default_rng(trial + 1), 120)
        intervals = bootstrap_intervals(
            lambda rows, ef=ef, predicted=predicted: ef_statistics(ef[rows], predicted[rows]),
            np.arange(120),
            n_resamples=300,
            seed=trial,
        )
        for name in names:
            inside[name] += intervals[name].low <= truth[name] <= intervals[name].high
    assert all(0.88 <= count / trials <= 0.99 for count in inside.values()), inside


def test_intervals_of_a_diagnosis_cover_the_truth():
    """As many recordings as the paper's; the truth is that of a sample of a million."""

    def draw(generator, n):
        positive = generator.random(n) < 0.66
        return positive, stats.norm.cdf(generator.normal(0.8 * (2 * positive - 1), 1))

    names = ('sensitivity', 'specificity', 'f1', 'accuracy', 'auroc', 'brier')
    truth = diagnosis_statistics(*draw(np.random.default_rng(0), 10**6))
    inside, trials = dict.fromkeys(names, 0), 150
    for trial in range(trials):
        positive, scores = draw(np.random.default_rng(trial + 1), 109)
        intervals = bootstrap_intervals(
            lambda rows, positive=positive, scores=scores: diagnosis_statistics(
                positive[rows], scores[rows]
            ),
            np.arange(109),
            n_resamples=300,
            seed=trial,
        )
        for name in names:
            inside[name] += intervals[name].low <= truth[name] <= intervals[name].high
    assert all(0.88 <= count / trials <= 0.99 for count in inside.values()), inside


def test_samples_are_resampled_together():
    generator = np.random.default_rng(5)
    subject = generator.normal(0, 10, 100)
    paired = bootstrap_intervals(
        lambda rows: {'d': (subject + 1)[rows].mean() - subject[rows].mean()}, np.arange(100)
    )['d']
    assert paired.low == pytest.approx(1)
    assert paired.high == pytest.approx(1)


def test_intervals_depend_on_the_seed():
    sample = np.random.default_rng(0).random(30)
    assert interval_of_mean(sample, seed=1) == interval_of_mean(sample, seed=1)
    assert interval_of_mean(sample, seed=1) != interval_of_mean(sample, seed=2)


@pytest.mark.parametrize(('patients', 'n_resamples'), [(['a', 'a'], 100), (['a', 'b'], 0)])
def test_one_patient_or_no_resample_has_no_interval(patients, n_resamples):
    interval = interval_of_mean(np.array([3.0, 5.0]), np.array(patients), n_resamples=n_resamples)
    assert interval.estimate == 4
    assert np.isnan([interval.low, interval.high]).all()


def test_cells_of_a_table():
    assert interval_cells(Interval(1.239, -0.5, 2)) == ('1.24', '-0.50 to 2.00')
    assert interval_cells(Interval(3, np.nan, np.nan)) == interval_cells(3.0) == ('3.00', '')
    assert interval_cells(np.nan) == ('not defined', '')


@pytest.mark.parametrize(('share', 'defined'), [(0.05, True), (0.3, False)])
def test_a_statistic_that_is_often_undefined_has_no_interval(share, defined):
    generator = np.random.default_rng(4)

    def statistics(rows):
        return {'x': float('nan') if generator.random() < share and rows.any() else 1.0}

    interval = bootstrap_intervals(statistics, np.arange(50), n_resamples=400)['x']
    assert np.isfinite(interval.low) == defined
