"""Read text and JSON files; a damaged one is a user error that names the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from echocardmae_mm.utils.errors import UserError


def utf8_name(path: str) -> str:
    """The name of a file as UTF-8 can hold it; other bytes are escaped.

    Example:
        >>> utf8_name('M\\udcfcller.avi')
        'M\\\\xfcller.avi'
    """
    return path.encode('utf-8', 'surrogateescape').decode('utf-8', 'backslashreplace')


def read_text(path: str | Path) -> str:
    """Read a UTF-8 file, with or without a byte order mark.

    Raises:
        UserError: If it is encoded otherwise.
    """
    try:
        return Path(path).read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise UserError(f'{path}: byte {error.start} is not UTF-8; save it as UTF-8') from None


def read_json(path: str | Path) -> dict[str, Any]:
    """Read an object in JSON.

    Raises:
        UserError: If it is damaged or contains something else.
    """
    try:
        content = json.loads(read_text(path))
    except ValueError as error:
        raise UserError(f'{path}: damaged; not JSON ({error})') from None
    if not isinstance(content, dict):
        raise UserError(f'{path}: damaged; expected an object in JSON')
    return content
