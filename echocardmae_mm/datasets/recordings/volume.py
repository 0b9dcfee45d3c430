"""Read sequences stored as volumes, such as NIfTI."""

from __future__ import annotations

import gzip
import math
from typing import Any

import numpy as np

from echocardmae_mm.datasets.recordings.recording import Recording
from echocardmae_mm.utils.errors import RecordingError

# Bits of xyzt_units in a NIfTI header, and the units in mm and seconds.
_SPACE_UNIT, _MILLIMETRES = 0x07, {1: 1e3, 3: 1e-3}
_TIME_UNIT, _SECONDS = 0x38, {8: 1.0, 16: 1e-3, 24: 1e-6}


class VolumeRecording(Recording):
    """A sequence of grey frames in memory.

    Values within 0-255 are kept; any other range is scaled to 0-255, equally in all frames.

    Attributes:
        values (np.ndarray): The volume as stored in the file.

    Args:
        filename (str): The file.
        volume (np.ndarray): Any numeric type, shape (T, H, W).
        fps (float, optional): Frames per second. Defaults to None.
        spacing (tuple[float, float], optional): Height and width of a pixel in mm. Defaults to
            None.
    """

    random_access = True

    def __init__(
        self,
        filename: str,
        volume: np.ndarray,
        fps: float | None = None,
        spacing: tuple[float, float] | None = None,
    ) -> None:
        super().__init__(filename, len(volume), fps, spacing)
        self.values = volume
        self._range = (0.0, 255.0)
        if volume.dtype != np.uint8:
            low, high = float(volume.min()), float(volume.max())
            if not np.isfinite([low, high]).all():
                raise RecordingError(filename, 'contains values that are not finite')
            if low < 0 or high > 255 or high <= 1:
                self._range = (low, high)

    def _decode(self, indices: np.ndarray) -> np.ndarray:
        frames = self.values[indices]
        if frames.dtype != np.uint8:
            low, high = self._range
            scale = 255 / (high - low) if high > low else 0.0
            frames = np.rint((frames.astype(np.float64) - low) * scale).astype(np.uint8)
        return frames[..., None]


def open_nifti(filename: str) -> VolumeRecording:
    """Open a NIfTI sequence.

    Args:
        filename (str): A .nii or .nii.gz file with the axes (x, y), (x, y, time) or
            (x, y, 1, time), as in CAMUS.

    Returns:
        VolumeRecording: Frames with y as rows. The frame rate is unknown unless the header has a
        time axis with a unit.

    Raises:
        RecordingError: If the file is damaged or has other axes.
    """
    import nibabel

    try:
        image: Any = nibabel.load(filename)
        shape, dtype = image.shape, image.get_data_dtype()
        is_sequence = len(shape) in (2, 3) or (len(shape) == 4 and shape[2] == 1)
        if not (isinstance(image, nibabel.Nifti1Image) and is_sequence and dtype.kind in 'uif'):
            raise RecordingError(filename, f'not a grey sequence in x, y, time: {dtype} {shape}')
        size = image.dataobj.offset + math.prod(shape) * dtype.itemsize
        content = _read(filename, size)
        if len(content) < size:
            raise EOFError(f'{len(content)} bytes of {size}')
        array = np.asarray(type(image).from_bytes(content).dataobj)
    except RecordingError:
        raise
    except Exception as error:  # nibabel raises many types for damaged headers
        detail = str(error) or type(error).__name__
        raise RecordingError(filename, 'damaged NIfTI', detail) from error
    if not array.size:
        raise RecordingError(filename, 'no frame can be decoded')
    zooms, seconds = image.header.get_zooms(), None
    if array.ndim == 4:
        array = array[:, :, 0]
        seconds = zooms[3] * _SECONDS.get(int(image.header['xyzt_units']) & _TIME_UNIT, 0.0)
    if array.ndim == 2:
        array = array[..., None]
    scale = _MILLIMETRES.get(int(image.header['xyzt_units']) & _SPACE_UNIT, 1.0)
    spacing = (scale * float(zooms[1]), scale * float(zooms[0]))
    fps = 1 / seconds if seconds else None
    return VolumeRecording(filename, array.transpose(2, 1, 0), fps, spacing)


def _read(filename: str, size: int) -> bytearray:
    """Read the first ``size`` bytes; a .gz file to its end, where its checksum is.

    Not a memory map: if the file is truncated later, accessing a map kills the process (SIGBUS).
    """
    content = bytearray()
    with gzip.open(filename) if filename.endswith('.gz') else open(filename, 'rb') as file:
        while block := file.read(1 << 20):
            content += block[: max(0, size - len(content))]
    return content
