"""Hash the content of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_sha256(path: str | Path) -> str:
    """SHA-256 of the content of a file, in hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
