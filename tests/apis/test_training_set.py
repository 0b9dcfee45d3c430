"""What a bundle says about the training set of its model."""

import shutil

import nibabel
import numpy as np
import pytest

from echocardmae_mm.apis.training_set import describe_training_set
from echocardmae_mm.datasets import RecordingTableDataset
from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.utils.errors import UserError


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


def test_a_rate_of_the_table_replaces_that_of_its_row_only(make_video, tmp_path):
    for name in 'abc':
        make_video(tmp_path / f'{name}.avi', num_frames=8)
    dataset = dataset_of(tmp_path, ['a.avi,55,', 'b.avi,60,20', 'c.avi,40,'], columns='path,ef,fps')
    assert describe_training_set(dataset)['fps'] == pytest.approx(50)


def test_damaged_recordings_are_left_out(recordings, tmp_path):
    shutil.copy(recordings['echonet'], tmp_path / 'whole.avi')
    damage(tmp_path / 'damaged.nii')
    described = describe_training_set(dataset_of(tmp_path, ['damaged.nii,55', 'whole.avi,60']))
    assert described['fps'] == pytest.approx(open_recording(tmp_path / 'whole.avi').fps)
    assert described['recordings'] == 2
    assert described['synthetic']


def test_a_training_set_of_damaged_recordings_is_refused(tmp_path):
    damage(tmp_path / 'damaged.nii')
    with pytest.raises(UserError, match='no recording of the training set can be read'):
        describe_training_set(dataset_of(tmp_path, ['damaged.nii,55']))


def damage(path):
    """Write the begin of a NIfTI file."""
    nibabel.save(nibabel.Nifti1Image(np.zeros((8, 8, 4), np.uint8), np.eye(4)), path)
    path.write_bytes(path.read_bytes()[:100])
