"""Read MetaImage sequences.

SimpleITK crashes, hangs or returns zeros for some damaged headers, so it is not used here.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path, PurePosixPath

import numpy as np

from echocardmae_mm.datasets.recordings.volume import VolumeRecording
from echocardmae_mm.utils.errors import RecordingError

_TYPES = {
    'MET_CHAR': 'i1',
    'MET_UCHAR': 'u1',
    'MET_SHORT': 'i2',
    'MET_USHORT': 'u2',
    'MET_INT': 'i4',
    'MET_UINT': 'u4',
    'MET_LONG_LONG': 'i8',
    'MET_ULONG_LONG': 'u8',
    'MET_FLOAT': 'f4',
    'MET_DOUBLE': 'f8',
}
_LOCAL = 'LOCAL'
_MAX_HEADER = 1 << 16
_ZLIB_OR_GZIP = 47


class MetaImageHeader:
    """The header of an .mhd or .mha file.

    Args:
        filename (str): The file.

    Raises:
        ValueError: If the header does not end within 64 kB.
        OSError: If the file cannot be read.
    """

    def __init__(self, filename: str) -> None:
        self.filename = Path(filename)
        self.size = 0
        self._values: dict[str, str] = {}
        with self.filename.open('rb') as file:
            while 'ElementDataFile' not in self._values:
                line = file.readline(_MAX_HEADER)
                self.size += len(line)
                if not line or self.size > _MAX_HEADER:
                    raise ValueError('no ElementDataFile')
                name, _, value = line.decode('latin-1').partition('=')
                self._values[name.strip()] = value.strip()

    def __getitem__(self, name: str) -> str:
        return self._values.get(name, '')

    @property
    def data_file(self) -> Path:
        """The file of the pixels.

        Raises:
            ValueError: If it is not named by a path within the folder of the header.
        """
        name = self['ElementDataFile']
        if name == _LOCAL:
            return self.filename
        path = PurePosixPath(name)
        if not name or path.is_absolute() or '..' in path.parts or '\0' in name:
            raise ValueError(f'ElementDataFile = {name}; expected a file in the same folder')
        return self.filename.parent / path

    def shape(self) -> tuple[int, ...]:
        """Shape of the pixels, last axis first.

        Raises:
            ValueError: If it is not that of a grey image or sequence.
        """
        shape = tuple(map(int, reversed(self['DimSize'].split())))
        is_gray = (self['ElementNumberOfChannels'] or '1') == '1'
        if str(len(shape)) != self['NDims'] or len(shape) not in (2, 3) or not is_gray:
            raise ValueError('expected the axes x, y or x, y, time, and one channel')
        if min(shape) < 1:
            raise ValueError(f'DimSize = {self["DimSize"]}')
        return shape

    def pixels(self) -> np.ndarray:
        """Read the pixels.

        Returns:
            np.ndarray: Shape (T, H, W) or (H, W).

        Raises:
            ValueError: If the header contradicts the file or has unsupported settings.
            OSError: If the file of the pixels cannot be read.
        """
        if self['ElementType'] not in _TYPES:
            raise ValueError(f'ElementType = {self["ElementType"]}')
        if not self._is_true('BinaryData', 'True') or (self['HeaderSize'] or '0') != '0':
            raise ValueError('expected BinaryData = True and no HeaderSize')
        big_endian = self._is_true('BinaryDataByteOrderMSB') or self._is_true('ElementByteOrderMSB')
        dtype = np.dtype(_TYPES[self['ElementType']]).newbyteorder('>' if big_endian else '<')
        shape = self.shape()
        expected = math.prod(shape) * dtype.itemsize
        data = self._data(expected)
        return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder('='), copy=False)

    def _data(self, expected: int) -> bytes:
        path = self.data_file
        if not path.is_file():
            raise ValueError('no such file: ElementDataFile')
        start = self.size if path == self.filename else 0
        found = path.stat().st_size - start
        is_compressed = self._is_true('CompressedData')
        if not is_compressed and found != expected:
            raise ValueError(f'{found} bytes of pixels, expected {expected}')
        with path.open('rb') as file:
            file.seek(start)
            data = file.read(found)
        if is_compressed:
            inflated = zlib.decompressobj(_ZLIB_OR_GZIP)
            # One byte more than expected, to notice a longer stream and to read the checksum.
            data = inflated.decompress(data, expected + 1)
            if len(data) != expected or not inflated.eof:
                raise ValueError(f'the compressed pixels are not {expected} bytes')
        return data

    def _is_true(self, name: str, default: str = 'False') -> bool:
        value = (self[name] or default).lower()
        if value not in ('true', 'false', '1', '0'):
            raise ValueError(f'{name} = {self[name]}')
        return value in ('true', '1')


def open_meta_image(filename: str) -> VolumeRecording:
    """Open a MetaImage sequence.

    Args:
        filename (str): An .mhd header with its .raw file, or an .mha file.

    Returns:
        VolumeRecording: The frame rate is unknown.

    Raises:
        RecordingError: If the file is damaged, its .raw is missing, or it has other axes.
    """
    try:
        header = MetaImageHeader(filename)
        pixels = header.pixels()
        sizes = header['ElementSpacing'] or header['ElementSize'] or 'nan nan'
        column_mm, row_mm = (float(value) for value in sizes.split()[:2])
    except (OSError, OverflowError, ValueError, zlib.error) as error:
        raise RecordingError(
            filename, 'damaged MetaImage, or its .raw is missing', str(error)
        ) from error
    frames = pixels if pixels.ndim == 3 else pixels[None]
    return VolumeRecording(filename, frames, None, (row_mm, column_mm))
