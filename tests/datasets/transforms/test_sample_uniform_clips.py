"""Even clips against the released code's formula and plain counting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echocardmae_mm.datasets.transforms import SampleUniformClips
from echocardmae_mm.utils.errors import UserError


def sample(total_frames: int, cycle: tuple[int, int] | None = None, **options: Any) -> dict:
    results = {'filename': 'x.avi', 'total_frames': total_frames, 'avg_fps': 50.0}
    if cycle is not None:
        results['cycle'] = cycle
    return SampleUniformClips(**options)(results)


@given(total=st.integers(61, 1002))
def test_five_clips_start_where_the_released_code_starts_them(total):
    results = sample(total)
    expected = [(total - 60 - 1) * i // 4 for i in range(5)]
    assert results['clip_starts'] == expected
    frames = results['frame_inds'].reshape(5, 16)
    for start, clip in zip(expected, frames):
        assert clip.tolist() == [start + 4 * step for step in range(16)]
    assert results['padded_frames'] == 0


@given(total=st.integers(2, 300), clip_len=st.integers(1, 12), frame_interval=st.integers(1, 6))
def test_all_uses_every_possible_start(total, clip_len, frame_interval):
    results = sample(total, num_clips='all', clip_len=clip_len, frame_interval=frame_interval)
    length = (clip_len - 1) * frame_interval + 1
    fitting = [start for start in range(total) if start + length <= total]
    assert results['clip_starts'] == (fitting or [0])
    assert results['num_clips'] == len(fitting or [0])


@given(total=st.integers(2, 300), num_clips=st.integers(1, 12))
def test_the_requested_number_of_clips_spans_the_recording(total, num_clips):
    results = sample(total, num_clips=num_clips)
    starts = results['clip_starts']
    last = max(0, total - 61)
    assert len(starts) == results['num_clips'] == num_clips
    assert starts == sorted(starts)
    if num_clips == 1:
        assert starts == [last // 2]
    else:
        assert (starts[0], starts[-1]) == (0, last)
        assert np.ptp(np.diff(starts)) <= 1


def test_a_short_recording_is_padded_and_repeats_its_only_start():
    results = sample(30)
    assert results['clip_starts'] == [0] * 5
    assert results['frame_inds'].reshape(5, 16)[0].tolist() == [*range(0, 30, 4)] + [-1] * 8
    assert results['padded_frames'] == 40


def test_a_cycle_fixes_the_start():
    results = sample(20, cycle=(15, 3), span='cycle', num_clips=1, clip_len=5)
    assert results['frame_inds'].tolist() == [15, 12, 9, 6, 3]
    assert results['clip_starts'] == [15]


def test_target_fps_gives_clips_of_equal_duration():
    assert sample(200, target_fps=25, num_clips=1, clip_len=4)['frame_interval'] == 2


@pytest.mark.parametrize('num_clips', [0, -1, 'every', 2.5])
def test_impossible_numbers_are_refused(num_clips):
    with pytest.raises(UserError, match="must be 'all' or at least 1"):
        SampleUniformClips(num_clips=num_clips)
