"""Clips around a labelled frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from echocardmae_mm.datasets.transforms import SampleLabelledClip
from echocardmae_mm.utils.counter_rng import EpochIndex
from echocardmae_mm.utils.errors import RecordingError, UserError


def sampled(frame, total, index=0, **options):
    results = {
        'frame': frame, 'total_frames': total, 'filename': 'a.avi',
        'sample_idx': EpochIndex(index, 0, 0),
    }  # fmt: skip
    return SampleLabelledClip(**options)(results)


@given(
    st.integers(1, 120), st.data(), st.integers(1, 5), st.sampled_from(['random', 'middle']),
    st.integers(0, 50),
)  # fmt: skip
def test_clips_contain_the_frame_and_stay_in_the_recording(total, data, interval, position, index):
    frame = data.draw(st.integers(0, total - 1))
    done = sampled(frame, total, index, clip_len=8, frame_interval=interval, position=position)
    frames = done['frame_inds']
    assert len(frames) == 8
    assert frame in frames
    assert frames.min() >= 0
    assert frames.max() < total
    if done['padded_frames'] == 0:
        assert (np.diff(frames) == interval).all()
    if total > 2 * 7 * interval:
        assert done['padded_frames'] == 0


def test_the_frame_is_at_random_positions_in_training_and_centred_in_testing():
    positions = {
        int(
            np.flatnonzero(sampled(50, 101, i, clip_len=8, frame_interval=4)['frame_inds'] == 50)[0]
        )
        for i in range(200)
    }
    assert positions == set(range(8))
    middle = sampled(50, 101, clip_len=8, frame_interval=4, position='middle')['frame_inds']
    assert middle.tolist() == [50 + 4 * (i - 4) for i in range(8)]


def test_a_short_recording_repeats_its_ends():
    done = sampled(2, 5, clip_len=8, frame_interval=2, position='middle')
    assert done['padded_frames'] == 5
    assert sorted(set(done['frame_inds'].tolist())) == [0, 2, 4]


def test_wrong_arguments_and_frames():
    with pytest.raises(RecordingError, match='frame 9 is labelled, but the recording has 9 frames'):
        sampled(9, 9)
    with pytest.raises(UserError, match="position='end'"):
        SampleLabelledClip(position='end')
