import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echocardmae_mm.phantom import make_phantom
from echocardmae_mm.phantom.anatomy import NUM_DISKS
from echocardmae_mm.phantom.deformation import from_rest, to_rest
from echocardmae_mm.phantom.patient import draw_patient
from echocardmae_mm.phantom.shapes import ShapeRange, contraction_for, draw_heart


def heart(seed, ef=60.0):
    rng = np.random.default_rng(seed)
    return draw_heart(rng, draw_patient(rng, ef=ef), ShapeRange())


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), contraction=st.floats(0.0, 0.6))
def test_deformation_is_invertible(seed, contraction):
    rng = np.random.default_rng(seed)
    subject = heart(seed)
    x, y = rng.uniform(-70, 70, 200), rng.uniform(-20, 140, 200)
    there = to_rest(subject, x, y, contraction)
    back = np.stack(from_rest(subject, *there, contraction))
    error = np.hypot(*(back - [x, y]))
    assert np.quantile(error, 0.9) < 0.6
    assert np.isfinite(error).all()


def test_relaxed_tissue_does_not_move():
    x, y = np.linspace(-80, 80, 50), np.linspace(-20, 150, 50)
    moved = to_rest(heart(1), x, y, 0.0)
    np.testing.assert_allclose(moved, [x, y], atol=0.3)


def test_volume_equals_a_plain_sum_of_disks():
    subject = heart(2)
    total = 0.0
    apex, base = subject.long_axis(0.2)
    for i in range(NUM_DISKS):
        left, right = subject.half_widths(np.array([(i + 0.5) / NUM_DISKS]), 0.2)
        across = float(left[0] + right[0])
        disk = np.pi / 4 * across * across * subject.depth_ratio
        total += disk * (base - apex) / subject.foreshortening / NUM_DISKS
    assert subject.volume(0.2)[0] == pytest.approx(total / 1000.0)


def test_contraction_reaches_the_wanted_volume():
    subject = heart(3)
    wanted = subject.volume(0.0)[0] * np.array([0.9, 0.6, 0.4, 0.2])
    np.testing.assert_allclose(subject.volume(contraction_for(subject, wanted)), wanted, rtol=1e-3)


def test_tracked_points_follow_the_traced_border():
    phantom = make_phantom(11, num_frames=60, heart_rate=70.0)
    ends = phantom.heart.tracing(phantom.ed)[4:18].reshape(-1, 2)
    tracked = phantom.heart.track(ends, phantom.ed, phantom.es)
    there = phantom.heart.tracing(phantom.es)[4:18].reshape(-1, 2)
    assert np.abs(tracked - there).mean() < 0.6
    assert np.abs(ends - there).mean() > 1.5
