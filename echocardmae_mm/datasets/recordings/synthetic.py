"""Recognise synthetic recordings by the mark in their file."""

from __future__ import annotations

from pathlib import Path

from echocardmae_mm.datasets.recordings.formats import Container, recording_container
from echocardmae_mm.utils.errors import RecordingError
from echocardmae_mm.utils.synthetic_mark import SYNTHETIC_MARK


def is_synthetic(filename: str) -> bool:
    """Whether ``echocardmae phantoms`` made a recording, by the mark in the file.

    Raises:
        RecordingError: If the file is missing, empty or of an unknown kind, or its header is
            damaged.
    """
    container = recording_container(filename)
    try:
        if container is Container.DICOM:
            import pydicom

            tags = ['Manufacturer']
            header = pydicom.dcmread(filename, stop_before_pixels=True, specific_tags=tags)
            return header.get('Manufacturer') == SYNTHETIC_MARK
        if container is Container.NIFTI:
            import nibabel

            description = bytes(nibabel.load(filename).header['descrip'])
            return description.startswith(SYNTHETIC_MARK.encode())
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # of pydicom, nibabel, zlib and struct
        reason = str(error) or type(error).__name__
        raise RecordingError(filename, 'its header cannot be read', reason) from error
    return _tail(Path(filename)).endswith(SYNTHETIC_MARK.encode())


def _tail(path: Path) -> bytes:
    with path.open('rb') as file:
        file.seek(-min(path.stat().st_size, len(SYNTHETIC_MARK)), 2)
        return file.read()
