"""Beats of curves that are known, and of phantoms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echocardmae_mm.evaluation.beats import find_beats
from echocardmae_mm.phantom import make_phantom


def curve(beats, fps, rate, ef, noise=0.0, seed=0):
    """Cosine beats from end-diastole on: (T,)."""
    time = np.arange(round(beats * 60 / rate * fps)) / fps
    volume = 100 * (1 - ef / 200 * (1 - np.cos(2 * np.pi * time * rate / 60)))
    return volume + np.random.default_rng(seed).normal(0, noise, len(time))


@settings(max_examples=30)
@given(st.integers(2, 6), st.floats(30, 80), st.floats(50, 100), st.floats(20, 75))
def test_every_beat_and_its_ejection_fraction(beats, fps, rate, ef):
    found = find_beats(curve(beats, fps, rate, ef, noise=0.3), fps)
    assert len(found) in (beats - 1, beats)  # the first began where the recording does
    for beat in found:
        assert beat.ef == pytest.approx(ef, abs=4)
        assert beat.ed < beat.es


def test_a_recording_of_one_beat_from_end_diastole_to_end_systole():
    half = curve(1, 50, 60, 50)[:26]
    (beat,) = find_beats(half, 50)
    assert (beat.ed, beat.es) == (0, 25)
    assert beat.ef == pytest.approx(50, abs=2)


def test_a_reversed_half_cycle():
    half = curve(1, 50, 60, 50)[:26][::-1]
    (beat,) = find_beats(half, 50)
    assert (beat.ed, beat.es) == (25, 0)
    assert beat.ef == pytest.approx(50, abs=2)


@pytest.mark.parametrize('lost', [[60], [60, 61, 62], [3, 30, 100, 101]])
def test_frames_without_a_ventricle_are_interpolated(lost):
    volumes = curve(3, 50, 60, 40)
    expected = find_beats(volumes, 50)
    volumes[lost] = np.nan
    found = find_beats(volumes, 50)
    assert np.isfinite([volumes[[beat.ed, beat.es]] for beat in found]).all()
    assert [beat.es for beat in found] == pytest.approx([beat.es for beat in expected], abs=2)
    assert [beat.ef for beat in found] == pytest.approx([40] * len(expected), abs=3)


@settings(max_examples=100)
@given(st.lists(st.integers(0, 195), min_size=1, max_size=3), st.sampled_from([0, 1, 300]))
def test_a_few_bad_frames_do_not_change_the_ejection_fraction(starts, value):
    volumes = curve(4, 50, 60, 60, noise=0.3)
    for start in starts:
        volumes[start : start + (3 if len(starts) == 1 else 1)] = value
    found = find_beats(volumes, 50)
    assert len(found) in (3, 4)
    clean = curve(4, 50, 60, 60, noise=0.3)
    frames = [frame for beat in found for frame in (beat.ed, beat.es)]
    assert volumes[frames] == pytest.approx(clean[frames], abs=15)
    assert [beat.ef for beat in found] == pytest.approx([60] * len(found), abs=4)


@pytest.mark.parametrize('bad', [0.0, 300.0, np.nan])
def test_a_bad_frame_is_neither_end_diastole_nor_end_systole(bad):
    clean = curve(3, 50, 60, 60)
    for beat in find_beats(clean, 50):
        for frame in (beat.ed, beat.es):
            volumes = clean.copy()
            volumes[frame] = bad
            for found in find_beats(volumes, 50):
                frames = [found.ed, found.es]
                assert volumes[frames] == pytest.approx(clean[frames])


@pytest.mark.parametrize('rate', [50, 75, 100])
def test_weak_beats_count(rate):
    beats = [curve(1, 50, rate, ef) for ef in (60, 25, 60, 25, 60, 25)]
    found = find_beats(np.concatenate([curve(1, 50, rate, 60), *beats]), 50)
    assert [beat.ef for beat in found[-6:]] == pytest.approx([60, 25] * 3, abs=4)


def test_noise_is_no_beat():
    noise = np.random.default_rng(0).normal(100, 0.5, 150)
    assert find_beats(noise, 50) == []


@pytest.mark.parametrize('volumes', [[], [5.0], [5.0] * 40, [np.nan] * 9, [100.0, 101.0] * 40])
def test_a_constant_volume_has_no_beat(volumes):
    assert find_beats(np.array(volumes), 50) == []


def test_the_phantoms_beats_are_found():
    errors = []
    for seed in range(8):
        phantom = make_phantom([seed, 1], num_frames=170)
        found = find_beats(phantom.volumes, phantom.fps)
        beats = len(phantom.r_waves)
        assert beats - 2 <= len(found) <= beats
        errors.append(np.mean([beat.ef for beat in found]) - phantom.ef)
    assert np.abs(errors).mean() < 1.5
