"""Label images, with the labels as they are."""

import nibabel
import numpy as np
import pytest
import SimpleITK

from echocardmae_mm.datasets.recordings import read_labels
from echocardmae_mm.utils.errors import RecordingError

LABELS = np.array([[0, 1, 1], [2, 3, 0]], np.uint8)


def test_labels_of_both_kinds_of_file_are_not_stretched(tmp_path):
    nibabel.save(nibabel.Nifti1Image(LABELS.T, np.eye(4)), tmp_path / 'a.nii.gz')
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(LABELS), str(tmp_path / 'a.mhd'))
    for name in ('a.nii.gz', 'a.mhd'):
        np.testing.assert_array_equal(read_labels(str(tmp_path / name), 4), LABELS)


def test_whole_numbers_stored_as_floats_are_labels_and_others_are_not(tmp_path):
    for name, values in (('whole', LABELS * 1.0), ('half', LABELS * 0.5), ('many', LABELS * 200.0)):
        image = nibabel.Nifti1Image(values.T, np.eye(4))
        nibabel.save(image, tmp_path / f'{name}.nii.gz')
    np.testing.assert_array_equal(read_labels(str(tmp_path / 'whole.nii.gz'), 4), LABELS)
    for name in ('half', 'many'):
        with pytest.raises(RecordingError, match='not a label image'):
            read_labels(str(tmp_path / f'{name}.nii.gz'), 4)


def test_an_unknown_label_is_named(tmp_path):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(LABELS), str(tmp_path / 'a.mhd'))
    with pytest.raises(RecordingError, match='label 2 is unknown: expected 0 to 1'):
        read_labels(str(tmp_path / 'a.mhd'), 2)


def test_a_video_is_no_label_image(make_video, tmp_path):
    path = make_video(tmp_path / 'a.avi', num_frames=3)
    with pytest.raises(RecordingError, match='not a NIfTI or MetaImage file'):
        read_labels(str(path), 4)
