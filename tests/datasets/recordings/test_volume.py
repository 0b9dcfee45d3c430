"""NIfTI, written by its own library."""

from __future__ import annotations

import gzip
import struct
import subprocess
import sys

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


@pytest.mark.parametrize(
    ('unit', 'zoom', 'spacing'),
    [
        ('meter', 3e-4, (0.3, 0.3)),
        ('micron', 300.0, (0.3, 0.3)),
        ('mm', 1.0, (1.0, 1.0)),
        (None, 0.3, (0.3, 0.3)),
    ],
)
def test_nifti_has_a_unit_of_length(tmp_path, unit, zoom, spacing):
    image = nibabel.Nifti1Image(FRAMES.transpose(2, 1, 0), np.eye(4))
    image.header.set_zooms((zoom, zoom, 1.0))
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / 'a.nii')
    found = open_recording(tmp_path / 'a.nii').spacing
    assert found == pytest.approx(spacing)


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


def test_a_nifti_file_may_be_cut_off_after_it_was_opened(tmp_path):
    # In a process of its own: a memory map of the file would kill it.
    path = save_nifti(tmp_path / 'a.nii', np.zeros((200, 200, 50), np.uint8), (1.0, 1.0, 1.0))
    program = (
        'import os, sys; from echocardmae_mm.datasets.recordings import open_recording; '
        'recording = open_recording(sys.argv[1]); os.truncate(sys.argv[1], 400); '
        'assert recording.frames([49]).max() == 0'
    )
    subprocess.run([sys.executable, '-c', program, path], check=True)


@pytest.mark.parametrize('name', ['a.nii', 'a.nii.gz'])
@pytest.mark.parametrize(
    ('offset', 'value'),
    [
        (42, struct.pack('<3h', 32767, 32767, 32767)),  # 32 TB
        (42, struct.pack('<h', 0)),  # no pixel
        (42, struct.pack('<h', -5)),
        (70, struct.pack('<2h', 32, 64)),  # complex numbers
        (70, struct.pack('<h', 9)),  # no data type
        (108, struct.pack('<f', 1e30)),  # pixels begin behind the end of the file
        (108, struct.pack('<f', 22)),  # pixels begin within the header
    ],
)
def test_a_wrong_number_in_a_nifti_header_raises_with_a_reason(name, offset, value, tmp_path):
    save_nifti(tmp_path / 'whole.nii', FRAMES.transpose(2, 1, 0), (1.0, 1.0, 1.0))
    content = bytearray((tmp_path / 'whole.nii').read_bytes())
    content[offset : offset + len(value)] = value
    packed = gzip.compress(content) if name.endswith('.gz') else content
    (tmp_path / name).write_bytes(packed)
    with pytest.raises(RecordingError, match=r'damaged NIfTI|not a grey sequence|no frame'):
        open_recording(tmp_path / name)


def test_an_unknown_unit_of_time_is_no_frame_rate(tmp_path):
    array = FRAMES.transpose(2, 1, 0)[:, :, None]
    path = tmp_path / 'a.nii'
    save_nifti(path, array, (0.2, 0.3, 1.0, 20.0), 'msec')
    content = bytearray(path.read_bytes())
    content[123] = 56
    path.write_bytes(content)
    assert open_recording(path).fps is None
