"""NIfTI, written by its own library."""

from __future__ import annotations

import gzip

import nibabel
import numpy as np
import pytest
import SimpleITK

from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.utils.errors import RecordingError

FRAMES = np.random.default_rng(0).integers(0, 256, (5, 30, 40), np.uint8)


def save_nifti(path, array: np.ndarray, zooms: tuple[float, ...], unit: str | None = None) -> str:
    image = nibabel.Nifti1Image(array, np.eye(4))
    image.header.set_zooms(zooms)
    image.header.set_xyzt_units('mm', unit)
    nibabel.save(image, path)
    return str(path)


def grey(frames: np.ndarray) -> np.ndarray:
    return np.repeat(frames[..., None], 3, -1)


@pytest.mark.parametrize('name', ['sequence.nii.gz', 'sequence.nii'])
def test_nifti_has_time_last_and_rows_second(name, tmp_path):
    path = save_nifti(tmp_path / name, FRAMES.transpose(2, 1, 0), (0.2, 0.3, 1.0))
    recording = open_recording(path)
    assert len(recording) == 5
    assert recording.spacing == pytest.approx((0.3, 0.2))
    assert recording.fps is None
    np.testing.assert_array_equal(recording.frames([4, 0, 4]), grey(FRAMES[[4, 0, 4]]))


def test_nifti_and_simpleitk_agree_on_rows(tmp_path):
    path = save_nifti(tmp_path / 'a.nii.gz', FRAMES.transpose(2, 1, 0), (0.2, 0.3, 1.0))
    other = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path))
    np.testing.assert_array_equal(open_recording(path).frames(range(5))[..., 0], other)


def test_a_flipped_bit_in_a_gzip_file_is_noticed(tmp_path):
    path = tmp_path / 'a.nii'
    save_nifti(path, FRAMES.transpose(2, 1, 0), (0.2, 0.3, 1.0))
    content = bytearray(gzip.compress(path.read_bytes(), compresslevel=0))
    content[-2000] ^= 1
    damaged = tmp_path / 'a.nii.gz'
    damaged.write_bytes(content)
    with pytest.raises(RecordingError, match=r'damaged NIfTI \(CRC check failed'):
        open_recording(damaged)


def test_nifti_with_four_axes_has_a_frame_rate(tmp_path):
    array = FRAMES.transpose(2, 1, 0)[:, :, None]
    path = save_nifti(tmp_path / 'a.nii', array, (0.2, 0.3, 1.0, 20.0), 'msec')
    recording = open_recording(path)
    assert recording.fps == pytest.approx(50)
    np.testing.assert_array_equal(recording.frames([2]), grey(FRAMES[[2]]))


def test_a_single_image_is_a_recording_of_one_frame(tmp_path):
    path = save_nifti(tmp_path / 'a.nii.gz', FRAMES[0].T, (0.2, 0.3))
    recording = open_recording(path)
    assert len(recording) == 1
    np.testing.assert_array_equal(recording.frames([0]), grey(FRAMES[:1]))


@pytest.mark.parametrize(
    ('array', 'expected'),
    [
        (FRAMES.astype(np.float32), FRAMES),
        (FRAMES.astype(np.float64) / 255, FRAMES),
        (FRAMES.astype(np.int16) * 100 - 5000, FRAMES),
    ],
)
def test_other_ranges_are_stretched(array, expected, tmp_path):
    assert (FRAMES.min(), FRAMES.max()) == (0, 255)
    path = save_nifti(tmp_path / 'a.nii.gz', array.transpose(2, 1, 0), (1.0, 1.0, 1.0))
    np.testing.assert_array_equal(open_recording(path).frames(range(5)), grey(expected))


def test_a_truncated_nifti_raises_with_a_reason(tmp_path):
    path = save_nifti(tmp_path / 'a.nii.gz', FRAMES.transpose(2, 1, 0), (1.0, 1.0, 1.0))
    content = (tmp_path / 'a.nii.gz').read_bytes()
    (tmp_path / 'a.nii.gz').write_bytes(content[: len(content) // 2])
    with pytest.raises(RecordingError, match=r'damaged NIfTI|cannot be read'):
        open_recording(path)


def test_a_true_volume_is_refused(tmp_path):
    path = save_nifti(tmp_path / 'a.nii', np.zeros((4, 4, 3, 5), np.uint8), (1.0,) * 4)
    with pytest.raises(RecordingError, match='not a grey sequence'):
        open_recording(path)


def test_values_that_are_not_finite_are_refused(tmp_path):
    array = np.full((4, 4, 3), np.nan, np.float32)
    with pytest.raises(RecordingError, match='not finite'):
        open_recording(save_nifti(tmp_path / 'a.nii', array, (1.0,) * 3))


@pytest.mark.parametrize(
    ('offset', 'content'),
    [
        (70, b'\x7f\x00'),  # datatype: unknown
        (108, b'\xff\xff\x7f\x7f'),  # vox_offset: beyond the file
        (42, b'\x00\x00'),  # dim: an empty axis
        (42, b'\xff\xff'),
    ],
)
def test_an_odd_header_is_refused(offset, content, tmp_path):
    path = tmp_path / 'a.nii'
    save_nifti(path, FRAMES.transpose(2, 1, 0), (1.0, 1.0, 1.0))
    header = bytearray(path.read_bytes())
    header[offset : offset + len(content)] = content
    path.write_bytes(header)
    with pytest.raises(RecordingError):
        open_recording(path)
