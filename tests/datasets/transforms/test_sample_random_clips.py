"""Sampling of clips against a plain loop, and its statistics."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from echocardmae_mm.datasets.transforms import SampleRandomClips
from echocardmae_mm.utils.counter_rng import EpochIndex, RngKey, RngStream, random_uniform
from echocardmae_mm.utils.errors import RecordingError, UserError


def sample(
    total_frames: int, video: int = 0, epoch: int = 0, seed: int = 0, **options: Any
) -> dict:
    extra = {key: options.pop(key) for key in ('cycle', 'avg_fps') if key in options}
    results = {
        'filename': 'x.avi',
        'total_frames': total_frames,
        'sample_idx': EpochIndex(video, epoch, seed),
        **extra,
    }
    return SampleRandomClips(**options)(results)


def plain_loop(total, clip_len, interval, num_clips, pad, key) -> tuple[list[int], int]:
    """One frame at a time; black frames are appended at the end of the recording."""
    frames, padded = list(range(total)), 0
    while len(frames) < (clip_len - 1) * interval + 1 and pad == 'zero':
        frames.append(-1)
    if pad == 'loop':
        wraps = (clip_len - 1) * interval // total + 2
        starts = total if total < (clip_len - 1) * interval + 1 else None
        frames = frames * wraps
    else:
        starts = None
    if starts is None:
        starts = max(total, (clip_len - 1) * interval + 1) - (clip_len - 1) * interval
    chosen = []
    for draw in random_uniform(key, RngStream.CLIP_START, num_clips):
        start = int(draw * starts)
        for step in range(clip_len):
            place = start + step * interval
            chosen.append(frames[place])
            padded += place >= total
    return chosen, padded


@given(
    total=st.integers(2, 400),
    clip_len=st.integers(1, 20),
    interval=st.integers(1, 9),
    num_clips=st.integers(1, 3),
    pad=st.sampled_from(['zero', 'loop']),
    video=st.integers(0, 10000),
    epoch=st.integers(0, 2000),
)
def test_equals_a_plain_loop(total, clip_len, interval, num_clips, pad, video, epoch):
    results = sample(
        total,
        video,
        epoch,
        7,
        clip_len=clip_len,
        frame_interval=interval,
        num_clips=num_clips,
        pad=pad,
    )
    key = RngKey(7, epoch, video)
    expected, padded = plain_loop(total, clip_len, interval, num_clips, pad, key)
    assert results['frame_inds'].dtype == np.int64
    assert results['frame_inds'].tolist() == expected
    assert results['padded_frames'] == padded
    assert (results['clip_len'], results['num_clips']) == (clip_len, num_clips)
    assert results['frame_interval'] == interval
    low = 0 if pad == 'loop' else -1
    assert low <= results['frame_inds'].min() <= results['frame_inds'].max() < total


def test_the_two_starts_are_uniform_and_independent():
    total, starts = 66, 6
    pairs = Counter()
    for video in range(6000):
        first, second = sample(total, video)['frame_inds'].reshape(2, 16)[:, 0].tolist()
        pairs[first, second] += 1
    assert {start for pair in pairs for start in pair} == set(range(starts))
    joint = [pairs[first, second] for first in range(starts) for second in range(starts)]
    assert chisquare(joint).pvalue > 1e-3


def test_starts_differ_by_epoch_but_not_by_process():
    draws = {tuple(sample(300, 5, epoch)['frame_inds'].tolist()) for epoch in range(20)}
    assert len(draws) > 15
    np.random.seed(1)  # noqa: NPY002
    first = sample(300, 5, 3)['frame_inds']
    np.random.seed(2)  # noqa: NPY002
    np.testing.assert_array_equal(first, sample(300, 5, 3)['frame_inds'])


def test_a_short_video_gets_black_frames_at_its_end():
    results = sample(30)
    expected = [0, 4, 8, 12, 16, 20, 24, 28] + [-1] * 8
    assert results['frame_inds'].tolist() == expected * 2
    assert results['padded_frames'] == 16


@pytest.mark.parametrize('fps', [25.0, 50.0, 62.5, 144.0, 10.0])
def test_target_fps_gives_equal_seconds(fps):
    results = sample(3000, avg_fps=fps, target_fps=12.5)
    clip = results['frame_inds'][:16]
    seconds = (clip - clip[0]) / fps
    np.testing.assert_allclose(seconds, np.arange(16) / 12.5, atol=0.5 / fps + 1e-9)
    assert results['frame_interval'] == pytest.approx(fps / 12.5)


def test_target_fps_needs_the_frame_rate():
    with pytest.raises(RecordingError, match=r'x\.avi: its frame rate is unknown'):
        sample(100, avg_fps=None, target_fps=25)


@given(first=st.integers(0, 99), last=st.integers(0, 99), clip_len=st.integers(2, 32))
def test_a_cycle_is_covered_evenly_from_end_to_end(first, last, clip_len):
    results = sample(100, span='cycle', cycle=(first, last), clip_len=clip_len, num_clips=1)
    clip = results['frame_inds']
    assert (clip[0], clip[-1]) == (first, last)
    even = [first + (last - first) * step / (clip_len - 1) for step in range(clip_len)]
    assert np.abs(clip - even).max() <= 0.5 + 1e-9
    assert results['padded_frames'] == 0


def test_without_a_cycle_the_whole_recording_is_covered():
    clip = sample(20, span='cycle', num_clips=1)['frame_inds']
    assert (clip[0], clip[-1], len(clip)) == (0, 19, 16)


@pytest.mark.parametrize('cycle', [(-1, 5), (0, 20), (25, 3)])
def test_a_cycle_outside_the_recording_raises_with_a_reason(cycle):
    with pytest.raises(RecordingError, match='exceeds its frames 0 to 19'):
        sample(20, span='cycle', cycle=cycle)


def test_one_frame_is_too_few():
    with pytest.raises(RecordingError, match=r'x\.avi: 1 frame; a clip needs at least 2'):
        sample(1)
    assert sample(1, clip_len=1)['frame_inds'].tolist() == [0, 0]


@pytest.mark.parametrize(
    'options',
    [
        {'clip_len': 0},
        {'pad': 'mirror'},
        {'span': 'beat'},
        {'target_fps': 0},
        {'target_fps': 25, 'span': 'cycle'},
    ],
)
def test_impossible_options_are_refused(options):
    with pytest.raises(UserError, match='SampleRandomClips'):
        SampleRandomClips(**options)


def test_clips_of_one_start_are_equal():
    options = dict(clip_len=4, frame_interval=2, num_clips=3)
    frames = [
        sample(90, video=video, same_start=True, **options)['frame_inds'].reshape(3, 4)
        for video in range(20)
    ]
    first = [sample(90, video=video, **options)['frame_inds'][:4] for video in range(20)]
    for clips, expected in zip(frames, first):
        np.testing.assert_array_equal(clips, np.tile(expected, (3, 1)))
    assert len({int(clips[0, 0]) for clips in frames}) > 10
