"""Read sequences stored as volumes, such as NIfTI."""

from __future__ import annotations

import gzip
import math
from typing import Any

import numpy as np

from echocardmae_mm.datasets.recordings.recording import Recording, gray_to_rgb
from echocardmae_mm.utils.errors import RecordingError

_SECONDS = {'sec': 1.0, 'msec': 1e-3, 'usec': 1e-6}


class VolumeRecording(Recording):
    """A sequence of grey frames in memory.

    Values within 0-255 are kept; any other range is scaled to 0-255, equally in all frames.

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
        self._volume = volume
        self._range = (0.0, 255.0)
        if volume.dtype != np.uint8:
            low, high = float(volume.min()), float(volume.max())
            if not np.isfinite([low, high]).all():
                raise RecordingError(filename, 'contains values that are not finite')
            if low < 0 or high > 255 or high <= 1:
                self._range = (low, high)

    @property
    def values(self) -> np.ndarray:
        """Values as stored in the file, shape (T, H, W)."""
        return self._volume

    def _decode(self, indices: np.ndarray) -> np.ndarray:
        frames = self._volume[indices]
        if frames.dtype != np.uint8:
            low, high = self._range
            scale = 255 / (high - low) if high > low else 0.0
            frames = np.rint((frames.astype(np.float64) - low) * scale).astype(np.uint8)
        return gray_to_rgb(frames)


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
        if filename.endswith('.gz'):
            image = type(image).from_bytes(_unzip(filename, image.dataobj))
        array = np.asarray(image.dataobj)
        zooms = image.header.get_zooms()
        unit = image.header.get_xyzt_units()[1]
    except Exception as error:  # nibabel raises many types for damaged headers
        raise RecordingError(filename, 'damaged NIfTI', _first_line(error)) from error
    seconds = None
    if array.ndim == 4 and array.shape[2] == 1:
        array = array[:, :, 0]
        seconds = zooms[3] * _SECONDS.get(unit, 0.0)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.dtype.kind not in 'iuf' or 0 in array.shape:
        raise RecordingError(filename, f'not a grey sequence in x, y, time: shape {image.shape}')
    spacing = (float(zooms[1]), float(zooms[0]))
    fps = 1 / seconds if seconds else None
    return VolumeRecording(filename, array.transpose(2, 1, 0), fps, spacing)


def _unzip(filename: str, data: Any) -> bytes:
    """Unzip a file to its end, where its checksum is; nibabel stops after the data."""
    with gzip.open(filename) as file:
        content = file.read(data.offset + math.prod(data.shape) * data.dtype.itemsize)
        while file.read(1 << 20):
            pass
    return content


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
