"""Write files completely or not at all, even if the program is killed."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Replace a file atomically; after an error, a kill or on a full disk, the old file remains.

    Yields:
        Path: The temporary file to write. An error removes it; only a kill leaves it.
    """
    path = Path(path)
    part = path.with_name(f'{path.name}.part')
    try:
        yield part
        with part.open('rb') as file:
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def atomic_write_text(path: str | Path, text: str) -> None:
    """Write a text file with :func:`atomic_path`."""
    with atomic_path(path) as part:
        part.write_text(text, encoding='utf-8')


def json_text(value: Any) -> str:
    """Format standard JSON, with a newline at the end.

    NaN and infinity become null, arrays and tensors lists, unknown objects text.
    """
    return json.dumps(_plain(value), indent=2, allow_nan=False) + '\n'


def _plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic, torch.Tensor)):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, type(None))) else str(value)
