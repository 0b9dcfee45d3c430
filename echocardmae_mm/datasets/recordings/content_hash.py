"""Identify a recording by its content, independently of its name."""

from __future__ import annotations

import hashlib
from pathlib import Path

from echocardmae_mm.datasets.recordings.meta_image import MetaImageHeader

_CHUNK = 1 << 20


def content_hash(filename: str) -> str:
    """Hash the bytes of a recording; for an .mhd header, of its .raw file as well.

    Returns:
        str: 128-bit BLAKE2b, 32 hexadecimal digits; '' if there is no such file.
    """
    if not Path(filename).is_file():  # Reading a pipe would never end.
        return ''
    digest = hashlib.blake2b(digest_size=16)
    for path in (Path(filename), *_raw_files(Path(filename))):
        with path.open('rb') as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def _raw_files(path: Path) -> list[Path]:
    if path.suffix.lower() != '.mhd':
        return []
    try:
        raw = MetaImageHeader(str(path)).data_file
    except ValueError:
        return []
    return [raw] if raw.is_file() and raw != path else []
