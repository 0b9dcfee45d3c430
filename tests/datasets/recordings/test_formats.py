"""Names and first bytes decide what a file is."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from echocardmae_mm.datasets.recordings import looks_like_recording
from echocardmae_mm.datasets.recordings.formats import Container, recording_container
from echocardmae_mm.utils.errors import RecordingError

DICOM_BYTES = bytes(128) + b'DICM' + bytes(60)
NIFTI_BYTES = (348).to_bytes(4, 'little') + bytes(344)


@pytest.mark.parametrize(
    ('content', 'container'),
    [
        (b'RIFF\x00\x00\x00\x00AVI LIST', Container.VIDEO),
        (b'\x00\x00\x00\x1cftypisom', Container.VIDEO),
        (b'\x1a\x45\xdf\xa3matroska', Container.VIDEO),
        (DICOM_BYTES, Container.DICOM),
        (NIFTI_BYTES, Container.NIFTI),
        (gzip.compress(NIFTI_BYTES), Container.NIFTI),
        (b'ObjectType = Image\nNDims = 3\n', Container.META_IMAGE),
    ],
    ids=['avi', 'mp4', 'matroska', 'dicom', 'nifti', 'nifti.gz', 'meta image'],
)
def test_content_determines_the_container(content, container, tmp_path):
    path = tmp_path / 'recording.xyz'
    path.write_bytes(content)
    assert recording_container(str(path)) is container


@pytest.mark.parametrize(
    ('name', 'content', 'reason'),
    [
        ('empty.avi', b'', 'the file is empty'),
        ('text.avi', b'these are words', 'not a video: the file contains text'),
        ('noise.dcm', bytes(range(256)), 'not a DICOM: the file contains something else'),
        ('cut.nii.gz', gzip.compress(bytes(range(256)), mtime=0)[:30], 'cannot be read'),
    ],
    ids=['empty', 'text', 'noise', 'cut'],
)
def test_other_content_raises_with_a_reason(name, content, reason, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RecordingError) as caught:
        recording_container(str(path))
    assert caught.value.filename == str(path)
    assert caught.value.reason.startswith(reason)


def test_missing_files_and_folders_raise_with_a_reason(tmp_path):
    with pytest.raises(RecordingError, match='no such file'):
        recording_container(str(tmp_path / 'none.avi'))
    with pytest.raises(RecordingError, match='is a folder'):
        recording_container(str(tmp_path))


@pytest.mark.parametrize(
    ('name', 'content', 'meant'),
    [
        ('A.AVI', b'', True),
        ('scan.nii.gz', b'', True),
        ('IM_0001', DICOM_BYTES, True),
        ('1.2.840.113619.2', DICOM_BYTES, True),
        ('IM_0001', b'words', False),
        ('DICOMDIR', DICOM_BYTES, False),
        ('.hidden.avi', b'', False),
        ('._clip.avi', b'', False),
        ('list.csv', b'a,b', False),
        ('volume.raw', b'', False),
    ],
)
def test_file_names_that_look_like_recordings(name, content, meant, tmp_path):
    path = Path(tmp_path, name)
    path.write_bytes(content)
    assert looks_like_recording(path) is meant
