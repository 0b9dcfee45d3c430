"""What a bundle says about the training set of its model."""

import nibabel
import numpy as np
import pytest

from echocardmae_mm.apis.training_set import describe_training_set
from echocardmae_mm.datasets import RecordingTableDataset


def dataset_of(folder, rows, columns='path,ef'):
    (folder / 'table.csv').write_text('\n'.join([columns, *rows]))
    return RecordingTableDataset(ann_file='table.csv', data_root=str(folder), pipeline=[])


def test_the_frame_rate_of_a_table_takes_precedence(make_video, tmp_path):
    for name in 'abc':
        make_video(tmp_path / f'{name}.avi', num_frames=8)
    own = dataset_of(tmp_path, ['a.avi,55', 'b.avi,60', 'c.avi,40'])
    assert describe_training_set(own)['fps'] == pytest.approx(50)
    listed = dataset_of(
        tmp_path, ['a.avi,55,30', 'b.avi,60,32', 'c.avi,40,90'], columns='path,ef,fps'
    )
    assert describe_training_set(listed) == {
        'data': 'RecordingTable', 'recordings': 3, 'patients': 3, 'fps': 32.0, 'synthetic': False,
    }  # fmt: skip


def test_damaged_recordings_are_left_out(make_video, tmp_path):
    make_video(tmp_path / 'whole.avi', num_frames=8)
    path = tmp_path / 'damaged.nii'
    nibabel.save(nibabel.Nifti1Image(np.zeros((8, 8, 4), np.uint8), np.eye(4)), path)
    path.write_bytes(path.read_bytes()[:100])
    dataset = dataset_of(tmp_path, ['damaged.nii,55', 'whole.avi,60'])
    described = describe_training_set(dataset)
    assert described['fps'] == pytest.approx(50)
    assert described['recordings'] == 2
    assert not described['synthetic']
