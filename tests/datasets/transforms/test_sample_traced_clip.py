"""Clips from the first labelled frame to the last."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echocardmae_mm.datasets.transforms import SampleTracedClip
from echocardmae_mm.utils.errors import RecordingError, UserError


def sampled(labelled, frame, total=200, clip_len=10):
    results = {
        'masks': dict.fromkeys(labelled), 'frame': frame, 'total_frames': total,
        'filename': 'a.avi',
    }  # fmt: skip
    return SampleTracedClip(clip_len)(results)['frame_inds'].tolist()


def test_frames_are_even():
    assert sampled((37, 10), 10, clip_len=4) == [10, 19, 28, 37]
    assert sampled((10, 20), 20, clip_len=4) == [10, 13, 16, 20]


@given(st.sets(st.integers(0, 199), min_size=1, max_size=3), st.data(), st.integers(2, 12))
def test_a_clip_contains_its_frame_and_both_ends(labelled, data, length):
    frame = data.draw(st.sampled_from(sorted(labelled)))
    frames = sampled(labelled, frame, clip_len=length)
    assert len(frames) == length
    assert frame in frames
    assert frames == sorted(frames)
    assert {frames[0], frames[-1]} <= labelled


def test_impossible_clips_are_refused():
    with pytest.raises(RecordingError, match='frame 12 is labelled'):
        sampled((3, 12), 3, total=12)
    with pytest.raises(UserError, match='has no labelled frames'):
        sampled((), 3)
    with pytest.raises(UserError, match='clip_len=1 must be at least 2'):
        SampleTracedClip(1)
