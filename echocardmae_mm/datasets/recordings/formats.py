"""Recognise recordings in a folder by name, and the container of a file by content."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from echocardmae_mm.utils.errors import RecordingError


class Container(Enum):
    """The supported containers."""

    VIDEO = 'video'
    DICOM = 'DICOM'
    NIFTI = 'NIfTI'
    META_IMAGE = 'MetaImage'


class _Format(NamedTuple):
    container: Container
    suffixes: tuple[str, ...]
    matches: Callable[[bytes], bool]


def _is_nifti(head: bytes) -> bool:
    return any(
        int.from_bytes(head[:4], order) in _NIFTI_HEADER_SIZES for order in ('little', 'big')
    )


_QUICKTIME_ATOMS = (b'ftyp', b'moov', b'mdat', b'wide', b'free', b'skip')
_NIFTI_HEADER_SIZES = (348, 540)

_FORMATS = (
    _Format(Container.VIDEO, ('.avi',), lambda head: head[:4] == b'RIFF' and head[8:11] == b'AVI'),
    _Format(Container.VIDEO, ('.mp4', '.mov', '.m4v'), lambda head: head[4:8] in _QUICKTIME_ATOMS),
    _Format(Container.VIDEO, ('.mkv',), lambda head: head[:4] == b'\x1a\x45\xdf\xa3'),
    _Format(Container.DICOM, ('.dcm', '.dicom'), lambda head: head[128:132] == b'DICM'),
    _Format(Container.NIFTI, ('.nii', '.nii.gz'), _is_nifti),
    _Format(Container.META_IMAGE, ('.mhd', '.mha'), lambda head: b'NDims' in head),
)
_SUFFIXES = tuple(suffix for entry in _FORMATS for suffix in entry.suffixes)
_HEAD_BYTES = 512


def recording_container(filename: str) -> Container:
    """Recognise the container of a file by its content, whatever its name.

    Raises:
        RecordingError: If the file is missing or empty, or its container is not supported.
    """
    path = Path(filename)
    if not path.is_file():
        kind = 'is a folder' if path.is_dir() else 'not a file'
        raise RecordingError(filename, kind if path.exists() else 'no such file')
    head = _head(path)
    if not head:
        raise RecordingError(filename, 'the file is empty')
    for entry in _FORMATS:
        if entry.matches(head):
            return entry.container
    kind = 'text' if head.isascii() else 'something else'
    expected = next(
        (e.container.value for e in _FORMATS if path.name.lower().endswith(e.suffixes)), 'recording'
    )
    raise RecordingError(
        filename, f'not a {expected}: the file contains {kind}', f'it starts with {head[:16]!r}'
    )


def looks_like_recording(path: Path) -> bool:
    """Whether the name of a file suggests a recording.

    Returns:
        bool: True for the known suffixes, and for readable DICOM files without a suffix or with one
        that is part of the UID. False for hidden files and DICOM directories.
    """
    if path.name.startswith('.') or path.name == 'DICOMDIR':
        return False
    if path.name.lower().endswith(_SUFFIXES):
        return True
    if (path.suffix and not path.suffix[1:].isdigit()) or not path.is_file():
        return False
    try:
        return _head(path)[128:132] == b'DICM'
    except RecordingError:
        return False


def _head(path: Path) -> bytes:
    try:
        with path.open('rb') as file:
            head = file.read(_HEAD_BYTES)
        if head[:2] != b'\x1f\x8b':
            return head
        with gzip.open(path) as unzipped:
            return unzipped.read(_HEAD_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise RecordingError(str(path), 'cannot be read', str(error)) from error
