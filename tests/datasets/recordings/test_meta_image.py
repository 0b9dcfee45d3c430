"""MetaImage, written by SimpleITK."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from echocardmae_mm.datasets.recordings import content_hash, open_recording
from echocardmae_mm.datasets.recordings.volume import VolumeRecording
from echocardmae_mm.utils.errors import RecordingError

FRAMES = np.random.default_rng(0).integers(0, 128, (5, 30, 40), np.uint8)


def write(path: Path, frames: np.ndarray = FRAMES, compress: bool = False) -> Path:
    image = SimpleITK.GetImageFromArray(frames)
    image.SetSpacing((0.2, 0.3, 1.0)[: frames.ndim])
    SimpleITK.WriteImage(image, str(path), compress)
    return path


def volume(path: Path) -> VolumeRecording:
    recording = open_recording(path)
    assert isinstance(recording, VolumeRecording)
    return recording


@pytest.mark.parametrize('compress', [False, True])
@pytest.mark.parametrize('name', ['sequence.mhd', 'sequence.mha'])
def test_pixels_and_spacing_are_those_written(name, compress, tmp_path):
    recording = volume(write(tmp_path / name, compress=compress))
    assert recording.spacing == pytest.approx((0.3, 0.2))
    assert recording.fps is None
    np.testing.assert_array_equal(recording.frames([1, 3])[..., 2], FRAMES[[1, 3]])


@pytest.mark.parametrize('dtype', list('bBhHiIqQfd'))
def test_every_type_of_pixel(dtype, tmp_path):
    frames = FRAMES.astype(dtype)
    values = volume(write(tmp_path / 'a.mhd', frames)).values
    assert values.dtype == frames.dtype
    np.testing.assert_array_equal(values, frames)


def test_a_single_image_is_one_frame(tmp_path):
    assert len(volume(write(tmp_path / 'a.mha', FRAMES[0]))) == 1


def test_big_endian_pixels(tmp_path):
    header = write(tmp_path / 'a.mhd', FRAMES.astype(np.uint16))
    raw = tmp_path / 'a.raw'
    raw.write_bytes(np.fromfile(raw, '<u2').astype('>u2').tobytes())
    header.write_text(header.read_text().replace('OrderMSB = False', 'OrderMSB = True'))
    np.testing.assert_array_equal(volume(header).values, FRAMES)


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        ('a.raw', 'a%s%n.raw'),  # crashes SimpleITK
        ('a.raw', 'a%d.raw 1 5 1'),
        ('a.raw', '../a.raw'),
        ('a.raw', '/dev/zero'),
        ('a.raw', 'LIST\na.raw'),  # zeros
        ('a.raw', 'b.raw'),
        ('ElementDataFile = a.raw', ''),
        ('CompressedData = False', 'CompressedData = True'),  # zeros
        ('CompressedData = False', 'CompressedData = maybe'),
        ('NDims = 3', 'NDims = -3'),  # hangs
        ('NDims = 3', 'NDims = 4'),
        ('40 30 5', '40 30 50'),
        ('40 30 5', '40 30 999999999999'),
        ('40 30 5', '-40 -30 5'),
        ('40 30 5', '40 x 5'),
        ('MET_UCHAR', 'MET_UCHAR_ARRAY'),
        ('MET_UCHAR', 'MET_UCHAR\nElementNumberOfChannels = 3'),
        ('BinaryData = True', 'BinaryData = False'),
        ('0.29999999999999999 1', 'wide 1'),
    ],
)
def test_a_header_that_cannot_be_right_is_refused(old, new, tmp_path):
    header = in_folder(tmp_path)
    text = header.read_text()
    assert old in text
    header.write_text(text.replace(old, new))
    with pytest.raises(RecordingError, match=r'a\.mhd: damaged MetaImage, or its \.raw is missing'):
        open_recording(header)
    content_hash(str(header))


def in_folder(tmp_path: Path) -> Path:
    """A recording with another .raw outside its folder."""
    (tmp_path / 'inside').mkdir()
    header = write(tmp_path / 'inside' / 'a.mhd')
    shutil.copy(tmp_path / 'inside' / 'a.raw', tmp_path)
    return header


@pytest.mark.parametrize('name', ['a.mhd', 'a.mha'])
def test_damaged_compressed_pixels_are_refused(name, tmp_path):
    path = write(tmp_path / name, compress=True)
    data = tmp_path / 'a.zraw' if name == 'a.mhd' else path
    content = bytearray(data.read_bytes())
    content[-1] ^= 1  # its checksum
    data.write_bytes(content)
    with pytest.raises(RecordingError, match='damaged MetaImage'):
        open_recording(path)
    if name == 'a.mhd':
        huge = path.read_text().replace('40 30 5', '9999999999 9999999999 5')
        (tmp_path / 'huge.mhd').write_text(huge)
        with pytest.raises(RecordingError, match='damaged MetaImage'):
            open_recording(tmp_path / 'huge.mhd')
    data.write_bytes(content[:-100])
    with pytest.raises(RecordingError, match='damaged MetaImage'):
        open_recording(path)


def test_a_spacing_of_zero_is_unknown(tmp_path):
    header = write(tmp_path / 'a.mhd')
    header.write_text(header.read_text().replace('ElementSpacing = 0.2', 'ElementSpacing = 0 0.2'))
    assert volume(header).spacing is None


def test_a_header_without_spacing_states_none(tmp_path):
    header = write(tmp_path / 'a.mhd')
    content = header.read_text()
    header.write_text(content.replace('ElementSpacing', 'ElementSize'))
    assert volume(header).spacing == pytest.approx((0.3, 0.2))
    header.write_text(content.replace('ElementSpacing', 'Comment'))
    assert volume(header).spacing is None
