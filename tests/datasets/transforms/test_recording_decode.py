"""Reading frames by our own sampling and by MMAction2's."""

from __future__ import annotations

import mmaction.datasets.transforms as stock
import numpy as np

from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.datasets.transforms import RecordingDecode, RecordingInit, SampleRandomClips


def test_black_frames_and_repeated_frames(make_video, tmp_path):
    path = make_video(tmp_path / 'a.avi', 9)
    results = RecordingInit()({'filename': str(path)})
    results['frame_inds'] = np.array([5, -1, 0, 5, -1])
    results = RecordingDecode()(results)
    everything = open_recording(path).frames(range(9))
    black = np.zeros_like(everything[0])
    expected = [everything[5], black, everything[0], everything[5], black]
    np.testing.assert_array_equal(results['imgs'], expected)
    assert results['img_shape'] == results['original_shape'] == (112, 112)
    assert 'recording' not in results


def test_only_the_sampled_frames_are_decoded(make_video, tmp_path):
    results = RecordingInit()({'filename': str(make_video(tmp_path / 'a.avi', 90))})
    asked: list[int] = []
    recording = results['recording']
    decode = recording._decode
    recording._decode = lambda indices: asked.extend(indices.tolist()) or decode(indices)
    results = RecordingDecode()(SampleRandomClips()(results))
    assert asked == sorted(set(results['frame_inds'].tolist()))


def test_works_between_stock_transforms(make_video, tmp_path):
    path = make_video(tmp_path / 'a.avi', 50)
    results = RecordingInit()({'filename': str(path), 'start_index': 0, 'modality': 'RGB'})
    sampler = stock.SampleFrames(clip_len=8, frame_interval=2, num_clips=3, test_mode=True)
    results = RecordingDecode()(sampler(results))
    results = stock.FormatShape('NCTHW')(results)
    assert results['imgs'].shape == (3, 3, 8, 112, 112)
    first = open_recording(path).frames(results['frame_inds'][:8])
    np.testing.assert_array_equal(results['imgs'][0], first.transpose(3, 0, 1, 2))
