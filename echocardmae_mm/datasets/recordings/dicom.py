"""Read B-mode ultrasound sequences from DICOM files; reject other images with a reason."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from echocardmae_mm.datasets.recordings.recording import Recording
from echocardmae_mm.utils.errors import RecordingError

# Bits of value 4 of Image Type, DICOM PS3.3 C.8.5.6.1.1.
_OTHER_MODES = {
    0x002: 'M-mode',
    0x004: 'spectral Doppler',
    0x008: 'spectral Doppler',
    0x010: 'colour Doppler',
    0x020: 'colour M-mode',
    0x040: 'a 3-D rendering',
    0x100: 'colour power Doppler',
}
# Sequence of Ultrasound Regions, DICOM PS3.3 C.8.5.5.1: spatial formats and data types.
_TWO_D, _M_MODE, _SPECTRAL = 1, 2, 3
_TISSUE, _COLOR_FLOW = 1, 2
_CENTIMETRE = 3
_ULTRASOUND_MODALITIES = ('US', 'OT', '')


class DicomRecording(Recording):
    """A multi-frame ultrasound image, of any photometric interpretation and transfer syntax.

    pydicom decodes single frames with the installed codecs. Samples of more than eight bits are
    scaled to 0-255. Region and spacing are those of the largest two-dimensional tissue region; both
    are unknown if no region fits into the image, as in images shrunk after acquisition.

    Attributes:
        header (pydicom.Dataset): All elements of the file.

    Args:
        filename (str): The file.

    Raises:
        RecordingError: If the file is damaged, has no pixels, or is not a B-mode sequence: another
            modality, a still image, colour Doppler, spectral Doppler, M-mode, ...
    """

    def __init__(self, filename: str) -> None:
        import pydicom
        from pydicom.uid import DeflatedExplicitVRLittleEndian

        with _recording_errors(filename, 'damaged DICOM'):
            header = pydicom.dcmread(filename, defer_size=1024)
            self._is_deflated = (
                header.file_meta.get('TransferSyntaxUID') == DeflatedExplicitVRLittleEndian
            )
            if self._is_deflated:  # pydicom reads neither single frames nor deferred elements
                header = pydicom.dcmread(filename)
            reason = _refusal(header, os.path.getsize(filename))
            if reason:
                raise RecordingError(filename, reason)
            tissue = _tissue_region(header)
            super().__init__(
                filename,
                int(header.NumberOfFrames),
                _frame_rate(header),
                _spacing(header, tissue),
                _bounds(tissue) if tissue else None,
                _view(header),
            )
        self.header = header

    def _decode(self, indices: np.ndarray) -> np.ndarray:
        # One call per frame: pydicom 3's iter_pixels fails on uncompressed YBR_FULL_422.
        from pydicom.pixels import pixel_array

        source = self.header if self._is_deflated else self.filename
        with _recording_errors(self.filename, 'damaged pixel data, or its codec is not installed'):
            frames = np.stack([pixel_array(source, index=index) for index in indices.tolist()])
            return _to_uint8(frames, self.header)


@contextmanager
def _recording_errors(filename: str, fault: str) -> Iterator[None]:
    """Turn pydicom's errors into a RecordingError, and suppress its warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    except RecordingError:
        raise
    except Exception as error:  # of zlib, struct and the codecs, too
        raise RecordingError(filename, fault, str(error) or type(error).__name__) from error


def _refusal(header: Any, file_size: int) -> str | None:
    modality = str(header.get('Modality') or '')
    if 'PixelData' not in header:
        return 'DICOM without pixel data'
    if modality not in _ULTRASOUND_MODALITIES:
        return f'modality {modality}, not ultrasound'
    mode = _mode(header)
    if mode:
        return f'{mode}, not a B-mode recording'
    num_frames = int(header.get('NumberOfFrames') or 1)
    if num_frames < 2:
        return 'a still image (1 frame), not a recording'
    if num_frames > file_size:
        return 'damaged DICOM: more frames than bytes'
    return None


def _mode(header: Any) -> str | None:
    """The mode of the image; None for B-mode.

    Ultrasound Color Data Present is ignored if there are regions, because scanners also set it for
    grey images with a palette.
    """
    for bit, name in _OTHER_MODES.items():
        if _image_type_bits(header) & bit:
            return name
    regions = header.get('SequenceOfUltrasoundRegions') or []
    formats = {region.get('RegionSpatialFormat') for region in regions}
    types = {region.get('RegionDataType') for region in regions}
    if _SPECTRAL in formats:
        return 'spectral Doppler'
    if _M_MODE in formats:
        return 'M-mode'
    if _COLOR_FLOW in types or (not regions and header.get('UltrasoundColorDataPresent') == 1):
        return 'colour Doppler'
    return None


def _view(header: Any) -> str | None:
    """The view by View Code Sequence (CID 12226): '4CH', '2CH', 'other' or, untold, None."""
    codes = header.get('ViewCodeSequence')
    meaning = str(codes[0].get('CodeMeaning', '')).lower() if codes else ''
    if not meaning:
        return None
    if 'apical' in meaning:
        for chambers, view in ((('four', '4'), '4CH'), (('two', '2'), '2CH')):
            if any(word in meaning for word in chambers):
                return view
    return 'other'


def _image_type_bits(header: Any) -> int:
    try:
        return int(header.get('ImageType')[3], 16)
    except (IndexError, TypeError, ValueError):
        return 0


def _frame_rate(header: Any) -> float | None:
    """Frame rate: Cine Rate, Frame Time (ms), Frame Time Vector or recommended display rate."""
    if header.get('CineRate'):
        return float(header.CineRate)
    if header.get('FrameTime'):
        return 1000 / float(header.FrameTime)
    times = np.atleast_1d(np.asarray(header.get('FrameTimeVector') or [], dtype=float))[1:]
    if times.size and times.mean() > 0:
        return 1000 / float(times.mean())
    return float(header.get('RecommendedDisplayFrameRate') or 0) or None


def _tissue_region(header: Any) -> Any | None:
    """The largest two-dimensional tissue region within the image."""
    fitting = [
        region
        for region in header.get('SequenceOfUltrasoundRegions') or []
        if region.get('RegionSpatialFormat') == _TWO_D
        and region.get('RegionDataType') == _TISSUE
        and _lies_within(region, header.Columns, header.Rows)
    ]
    return max(fitting, key=_area, default=None)


def _lies_within(region: Any, columns: int, rows: int) -> bool:
    try:
        left, top, right, bottom = _bounds(region)
    except (AttributeError, TypeError, ValueError):  # missing or no number
        return False
    return 0 <= left < right <= columns and 0 <= top < bottom <= rows


def _bounds(region: Any) -> tuple[int, int, int, int]:
    left, top = int(region.RegionLocationMinX0), int(region.RegionLocationMinY0)
    return left, top, int(region.RegionLocationMaxX1), int(region.RegionLocationMaxY1)


def _area(region: Any) -> int:
    left, top, right, bottom = _bounds(region)
    return (right - left) * (bottom - top)


def _spacing(header: Any, tissue: Any | None) -> tuple[float, float] | None:
    """Height and width of a pixel in mm."""
    if tissue is not None:
        units = tissue.get('PhysicalUnitsXDirection'), tissue.get('PhysicalUnitsYDirection')
        if units == (_CENTIMETRE, _CENTIMETRE):
            row, column = abs(float(tissue.PhysicalDeltaY)), abs(float(tissue.PhysicalDeltaX))
            if row and column:
                return 10 * row, 10 * column
    if header.get('SequenceOfUltrasoundRegions') or not header.get('PixelSpacing'):
        return None
    row, column = header.PixelSpacing
    return float(row), float(column)


def _to_uint8(frames: np.ndarray, header: Any) -> np.ndarray:
    """Convert decoded frames to uint8 RGB or grey (n, H, W, C); pydicom has converted YBR."""
    from pydicom.pixels import apply_color_lut

    if header.PhotometricInterpretation == 'PALETTE COLOR':
        colors = apply_color_lut(frames, header)
        return (colors >> 8).astype(np.uint8) if colors.dtype == np.uint16 else colors
    bits = int(header.BitsStored)
    if frames.dtype != np.uint8 or bits != 8:
        low = -(1 << (bits - 1)) if header.PixelRepresentation else 0
        full = (1 << bits) - 1
        scaled = (np.clip(frames.astype(np.float64) - low, 0, full)) * (255 / full)
        frames = np.rint(scaled).astype(np.uint8)
    if header.PhotometricInterpretation == 'MONOCHROME1':
        frames = 255 - frames
    return frames if frames.ndim == 4 else frames[..., None]
