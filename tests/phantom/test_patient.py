import numpy as np

from echocardmae_mm.phantom.patient import draw_patient


def draws(count=4000, **wanted):
    return [draw_patient(np.random.default_rng([1, i]), **wanted) for i in range(count)]


def test_ejection_fractions_are_distributed_as_in_echonet_dynamic():
    ef = np.array([patient.ef for patient in draws()])
    assert abs(ef.mean() - 55.75) < 0.8
    assert abs(ef.std() - 12.37) < 0.8
    assert abs(np.median(ef) - 59.3) < 1.5
    assert ef.min() >= 7.0
    assert ef.max() <= 97.0
    shares = np.histogram(ef, [0, 30, 40, 50, 100])[0] / len(ef)
    np.testing.assert_allclose(shares, [0.062, 0.065, 0.097, 0.776], atol=0.025)


def test_rhythm_and_length_stay_in_their_ranges():
    patients = draws(1500)
    assert all(45 <= p.heart_rate <= 120 and 30 <= p.fps <= 80 for p in patients)
    assert all(28 <= p.num_frames <= 300 for p in patients)
    assert 0.75 < np.mean([p.fps == 50 for p in patients]) < 0.9
    assert abs(np.median([p.num_frames for p in patients]) - 171) < 8


def test_given_values_are_kept_and_do_not_change_others():
    drawn = draw_patient(np.random.default_rng(3))
    kept = draw_patient(np.random.default_rng(3), fps=31.0, quality='Poor')
    assert (kept.fps, kept.quality) == (31.0, 'Poor')
    assert (kept.ef, kept.heart_rate, kept.num_frames) == (
        drawn.ef,
        drawn.heart_rate,
        drawn.num_frames,
    )
