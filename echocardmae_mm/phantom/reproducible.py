"""Office and MATLAB files without the time of writing, so that a seed always gives equal bytes."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import scipy.io
from numpy.typing import NDArray
from openpyxl import Workbook

_EPOCH = (2020, 1, 1, 0, 0, 0)
_MAT_TEXT = b'MATLAB 5.0 MAT-file, written for phantoms'


def write_mat(path: Path, name: str, array: NDArray[np.uint8]) -> None:
    """Write one array as a compressed MATLAB 5 file; its header names no time."""
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {name: array}, do_compression=True)
    content = buffer.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_MAT_TEXT.ljust(116) + content[116:])


def write_xlsx(path: Path, book: Workbook) -> None:
    """Write a workbook; neither its properties nor its archive hold the time."""
    buffer = io.BytesIO()
    book.save(buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, 'w') as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == 'docProps/core.xml':
                content = re.sub(rb'\d{4}-\d\d-\d\dT[\d:.]+Z', b'2020-01-01T00:00:00Z', content)
            info = zipfile.ZipInfo(entry.filename, _EPOCH)
            target.writestr(info, content, zipfile.ZIP_DEFLATED)
