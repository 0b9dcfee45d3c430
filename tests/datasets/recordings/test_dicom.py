"""DICOM against pydicom's own examples, other decoders and files written here."""

from __future__ import annotations

import cv2
import numpy as np
import pydicom
import pydicom.examples
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels import convert_color_space
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    UltrasoundMultiFrameImageStorage,
)

from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.utils.errors import RecordingError

REAL = str(pydicom.examples.get_path('ybr_color'))


def ultrasound(frames: np.ndarray, photometric: str = 'MONOCHROME2', **elements: object) -> Dataset:
    """A multi-frame ultrasound data set of frames (T, H, W) or (T, H, W, 3)."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    meta.MediaStorageSOPInstanceUID = '1.2.3.4'
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID, dataset.SOPInstanceUID = UltrasoundMultiFrameImageStorage, '1.2.3.4'
    dataset.Modality = 'US'
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = frames.shape[:3]
    dataset.SamplesPerPixel = 3 if frames.ndim == 4 else 1
    if frames.ndim == 4:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = dataset.BitsStored = 8 * frames.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = 0
    dataset.PixelData = frames.tobytes()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def region(spatial_format: int, data_type: int, box=(20, 5, 60, 45)) -> Dataset:
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType = spatial_format, data_type
    item.RegionLocationMinX0, item.RegionLocationMinY0 = box[:2]
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box[2:]
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX, item.PhysicalDeltaY = 0.02, 0.03
    return item


@pytest.fixture
def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 50, 64), np.uint8)


@pytest.fixture
def save(tmp_path):
    def write(dataset: Dataset) -> str:
        path = tmp_path / 'IM_0001'
        dataset.save_as(path, enforce_file_format=True)
        return str(path)

    return write


def test_a_real_recording_equals_another_decoder():
    recording = open_recording(REAL)
    assert len(recording) == 30
    assert recording.fps == pytest.approx(30, abs=0.01)
    decoded = recording.frames([29, 3])
    data = pydicom.dcmread(REAL).PixelData
    for frame, index in zip(decoded, (29, 3)):
        jpeg = np.frombuffer(get_frame(data, index, number_of_frames=30), np.uint8)
        other = cv2.cvtColor(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        assert np.abs(frame.astype(int) - other).max() <= 3


def test_a_region_beyond_the_image_is_ignored():
    recording = open_recording(REAL)
    assert pydicom.dcmread(REAL).SequenceOfUltrasoundRegions[0].RegionLocationMaxX1 > 320
    assert recording.region is None
    assert recording.spacing is None


def test_region_spacing_and_frame_rate(frames, save):
    elements = {
        'SequenceOfUltrasoundRegions': [
            region(4, 10, (0, 46, 64, 50)),
            region(1, 1, (0, 0, 4, 4)),
            region(1, 1),
        ],
        'CineRate': 48,
        'FrameTime': 40,
    }
    recording = open_recording(save(ultrasound(frames, **elements)))
    assert recording.region == (20, 5, 60, 45)
    assert recording.spacing == pytest.approx((0.3, 0.2))
    assert recording.fps == 48


@pytest.mark.parametrize('box', [(60, 5, 20, 45), (20, 5, 20, 45), (20, 5, 60, 5000)])
def test_an_odd_region_is_ignored(box, frames, save):
    recording = open_recording(
        save(ultrasound(frames, SequenceOfUltrasoundRegions=[region(1, 1, box)]))
    )
    assert recording.region is None


def test_a_region_without_bounds_is_ignored(frames, save):
    item = region(1, 1)
    del item.RegionLocationMinX0
    assert (
        open_recording(save(ultrasound(frames, SequenceOfUltrasoundRegions=[item]))).region is None
    )


@pytest.mark.parametrize('spacing', [(0, 0), (-0.3, 0.2), (0.3, 1e-6)])
def test_a_spacing_that_cannot_be_is_unknown(spacing, frames, save):
    assert open_recording(save(ultrasound(frames, PixelSpacing=list(spacing)))).spacing is None


def test_deflated_files(frames, save):
    dataset = ultrasound(frames, SequenceOfUltrasoundRegions=[region(1, 1)])
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = save(dataset)
    recording = open_recording(path)
    assert recording.region == (20, 5, 60, 45)
    np.testing.assert_array_equal(recording.frames([4, 1])[..., 0], frames[[4, 1]])
    with open(path, 'r+b') as file:
        file.truncate(5000)
    with pytest.raises(RecordingError, match='damaged DICOM'):
        open_recording(path)


def test_more_frames_than_bytes_are_refused(frames, save):
    with pytest.raises(RecordingError, match='more frames than bytes'):
        open_recording(save(ultrasound(frames, NumberOfFrames=2**31 - 1)))


@pytest.mark.parametrize(
    ('elements', 'fps'),
    [
        ({'FrameTime': 25}, 40),
        ({'FrameTimeVector': [0, 20, 20, 20, 20, 20]}, 50),
        ({'RecommendedDisplayFrameRate': 33}, 33),
        ({'CineRate': 0, 'FrameTime': 20}, 50),
        ({}, None),
    ],
)
def test_sources_of_the_frame_rate(elements, fps, frames, save):
    assert open_recording(save(ultrasound(frames, **elements))).fps == fps


def test_grey_and_inverted_grey(frames, save):
    grey = open_recording(save(ultrasound(frames))).frames([4, 1])
    np.testing.assert_array_equal(grey, np.repeat(frames[[4, 1], ..., None], 3, -1))
    inverted = open_recording(save(ultrasound(frames, 'MONOCHROME1'))).frames([4, 1])
    np.testing.assert_array_equal(inverted, 255 - grey)


@pytest.mark.parametrize(('stored', 'signed'), [(12, False), (16, False), (16, True)])
def test_more_than_eight_bits_are_scaled(stored, signed, save):
    low, high = (-(1 << stored - 1), (1 << stored - 1) - 1) if signed else (0, (1 << stored) - 1)
    values = np.linspace(low, high, 2 * 8 * 8).astype(np.int16 if signed else np.uint16)
    dataset = ultrasound(
        values.reshape(2, 8, 8),
        BitsStored=stored,
        HighBit=stored - 1,
        PixelRepresentation=int(signed),
    )
    decoded = open_recording(save(dataset)).frames([0, 1])
    expected = np.linspace(0, 255, 128).reshape(2, 8, 8)
    np.testing.assert_allclose(decoded[..., 0], expected, atol=0.6)


def test_colour_in_every_interpretation(save):
    colours = np.random.default_rng(1).integers(0, 256, (3, 8, 10, 3), np.uint8)
    rgb = open_recording(save(ultrasound(colours, 'RGB'))).frames([2, 0])
    np.testing.assert_array_equal(rgb, colours[[2, 0]])
    full = open_recording(save(ultrasound(colours, 'YBR_FULL'))).frames([2, 0])
    np.testing.assert_array_equal(full, convert_color_space(colours[[2, 0]], 'YBR_FULL', 'RGB'))


def test_subsampled_colour(save):
    luma, blue, red = np.random.default_rng(2).integers(0, 256, (3, 2, 4, 6), np.uint8)
    packed = np.stack([luma[..., ::2], luma[..., 1::2], blue[..., ::2], red[..., ::2]], -1)
    dataset = ultrasound(np.stack([luma, blue, red], -1), 'YBR_FULL_422')
    dataset.PixelData = packed.tobytes()
    whole = np.stack([luma, blue[..., ::2].repeat(2, -1), red[..., ::2].repeat(2, -1)], -1)
    decoded = open_recording(save(dataset)).frames([0, 1])
    np.testing.assert_array_equal(decoded, convert_color_space(whole, 'YBR_FULL', 'RGB'))


@pytest.mark.parametrize('bits', [8, 16])
def test_palette(bits, frames, save):
    table = np.random.default_rng(3).integers(0, 1 << bits, (3, 256))
    dataset = ultrasound(frames, 'PALETTE COLOR')
    for name, column in zip(('Red', 'Green', 'Blue'), table):
        setattr(dataset, f'{name}PaletteColorLookupTableDescriptor', [256, 0, bits])
        data = column.astype(f'<u{bits // 8}').tobytes()
        setattr(dataset, f'{name}PaletteColorLookupTableData', data)
    decoded = open_recording(save(dataset)).frames([5, 0])
    expected = table.T[frames[[5, 0]]] >> (bits - 8)
    np.testing.assert_array_equal(decoded, expected)


def test_compressed_frames_are_decoded_singly(frames, save, monkeypatch):
    dataset = ultrasound(cv2.GaussianBlur(frames.transpose(1, 2, 0), (9, 9), 3).transpose(2, 0, 1))
    jpegs = [cv2.imencode('.jpg', frame)[1].tobytes() for frame in dataset.pixel_array]
    dataset.PixelData = encapsulate(jpegs)
    dataset['PixelData'].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    path = save(dataset)
    asked = []
    original = pydicom.pixels.pixel_array
    monkeypatch.setattr(
        pydicom.pixels,
        'pixel_array',
        lambda source, index: asked.append(index) or original(source, index=index),
    )
    decoded = open_recording(path).frames([3, 0, 3])
    assert asked == [0, 3]
    for frame, index in zip(decoded, (3, 0, 3)):
        other = cv2.imdecode(np.frombuffer(jpegs[index], np.uint8), cv2.IMREAD_GRAYSCALE)
        assert np.abs(frame[..., 0].astype(int) - other).max() <= 2


@pytest.mark.parametrize(
    ('elements', 'reason'),
    [
        ({'SequenceOfUltrasoundRegions': [region(1, 1), region(1, 2)]}, 'colour Doppler'),
        ({'SequenceOfUltrasoundRegions': [region(2, 1)]}, 'M-mode'),
        ({'SequenceOfUltrasoundRegions': [region(1, 1), region(3, 3)]}, 'spectral Doppler'),
        ({'UltrasoundColorDataPresent': 1}, 'colour Doppler'),
        ({'ImageType': ['ORIGINAL', 'PRIMARY', '', '0011']}, 'colour Doppler'),
        ({'ImageType': ['ORIGINAL', 'PRIMARY', '', '0009']}, 'spectral Doppler'),
        ({'Modality': 'CT'}, 'modality CT, not ultrasound'),
    ],
)
def test_other_modes_are_refused_by_name(elements, reason, frames, save):
    with pytest.raises(RecordingError, match=reason):
        open_recording(save(ultrasound(frames, **elements)))


@pytest.mark.parametrize(
    'elements',
    [
        {'UltrasoundColorDataPresent': 1, 'SequenceOfUltrasoundRegions': [region(1, 1)]},
        {'ImageType': ['ORIGINAL', 'PRIMARY', '', '0001']},
        {'ImageType': ['DERIVED', 'PRIMARY', 'INTRAVASCULAR', 'OTHER']},
        {'UltrasoundColorDataPresent': 0, 'SequenceOfUltrasoundRegions': [region(4, 10)]},
    ],
)
def test_b_mode_is_not_refused(elements, frames, save):
    assert len(open_recording(save(ultrasound(frames, **elements)))) == 6


@pytest.mark.parametrize('name', ['rgb_color', 'palette_color'])
def test_real_stills_are_refused(name):
    with pytest.raises(RecordingError, match='a still image'):
        open_recording(pydicom.examples.get_path(name))


def test_without_pixels(frames, save):
    dataset = ultrasound(frames)
    del dataset.PixelData
    with pytest.raises(RecordingError, match='DICOM without pixel data'):
        open_recording(save(dataset))


@pytest.mark.parametrize('part', [0.02, 0.3, 0.6, 0.95])
def test_truncated_files_raise_with_a_reason(part, tmp_path):
    with open(REAL, 'rb') as file:
        content = file.read()
    path = tmp_path / 'cut.dcm'
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(RecordingError, match=r'cut\.dcm: '):
        open_recording(path).frames(range(30))


def test_invalid_elements_raise_with_a_reason(frames, save):
    dataset = ultrasound(frames)
    del dataset.Rows
    with pytest.raises(RecordingError, match='damaged'):
        open_recording(save(dataset)).frames([0])
