"""Opening adds what the later transforms need."""

from __future__ import annotations

import nibabel
import numpy as np

from echocardmae_mm.datasets.transforms import RecordingInit


def test_length_and_frame_rate_come_from_the_video(make_video, tmp_path):
    path = make_video(tmp_path / 'a.avi', 12, fps=40)
    results = RecordingInit()({'filename': str(path), 'fps': 99.0})
    assert len(results['recording']) == results['total_frames'] == 12
    assert results['avg_fps'] == 40
    assert results['spacing'] is None
    assert results['region'] is None


def test_the_data_set_provides_metadata_missing_in_the_file(tmp_path):
    path = tmp_path / 'a.nii.gz'
    nibabel.save(nibabel.Nifti1Image(np.zeros((8, 8, 5), np.uint8), np.eye(4)), path)
    results = RecordingInit()({'filename': str(path), 'fps': 47.5})
    assert results['avg_fps'] == 47.5
    assert results['spacing'] == (1.0, 1.0)
    assert RecordingInit()({'filename': str(path)})['avg_fps'] is None
