"""DICOM files written from nothing but a recording."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.datasets.recordings.dicom_writing import DicomIdentity, write_dicom

IDENTITY = DicomIdentity('0123456789', '2.25.1', '2.25.2', '2.25.3')


@pytest.fixture
def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (4, 51, 64, 3), np.uint8)


@pytest.mark.parametrize(
    ('fps', 'spacing', 'region'),
    [
        (47.3, (0.3, 0.2), (5, 6, 60, 50)),
        (None, (0.3, 0.2), None),
        (50.0, None, (5, 6, 60, 50)),
        (None, None, None),
    ],
)
@pytest.mark.parametrize('grey', [False, True])
def test_what_is_written_is_read(tmp_path, frames, grey, fps, spacing, region):
    if grey:
        frames[...] = frames[..., :1]
    write_dicom(tmp_path / 'a.dcm', frames, IDENTITY, fps, spacing, region)
    recording = open_recording(tmp_path / 'a.dcm')
    np.testing.assert_array_equal(recording.frames(range(4)), frames)
    assert recording.fps == (pytest.approx(fps) if fps else None)
    assert recording.spacing == (pytest.approx(spacing) if spacing else None)
    assert recording.region == region
    assert pydicom.dcmread(tmp_path / 'a.dcm').SamplesPerPixel == (1 if grey else 3)


def test_identity_and_compression_of_the_source(tmp_path, frames):
    write_dicom(tmp_path / 'a.dcm', frames, IDENTITY, 50, lossy=True)
    header = pydicom.dcmread(tmp_path / 'a.dcm')
    assert (header.PatientID, str(header.PatientName)) == ('0123456789', '0123456789')
    assert header.StudyInstanceUID == '2.25.1'
    assert header.SeriesInstanceUID == '2.25.2'
    assert header.SOPInstanceUID == header.file_meta.MediaStorageSOPInstanceUID == '2.25.3'
    assert header.LossyImageCompression == '01'
    assert header.PatientIdentityRemoved == 'YES'
    assert 'BurnedInAnnotation' not in header
