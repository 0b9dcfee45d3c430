"""Write videos, workbooks and MATLAB files whose bytes depend only on their content."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import cv2
import numpy as np
import scipy.io
from numpy.typing import NDArray
from openpyxl import Workbook

from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.synthetic_mark import SYNTHETIC_MARK

_EPOCH = (2020, 1, 1, 0, 0, 0)
_MAT_TEXT = b'MATLAB 5.0 MAT-file, written for phantoms'


def write_avi(path: Path, frames: NDArray[np.uint8], fps: float, quality: int = 85) -> None:
    """Write (T, H, W, 3) RGB frames as Motion JPEG.

    Uses OpenCV's own encoder, because every build has it and its single-threaded output is the same
    on every machine.

    Raises:
        UserError: If the file cannot be written or is incomplete.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = frames.shape[1:3]
    code = cv2.VideoWriter.fourcc(*'MJPG')
    writer = cv2.VideoWriter(
        str(path),
        cv2.CAP_OPENCV_MJPEG,
        code,
        fps,
        (width, height),
        [cv2.VIDEOWRITER_PROP_QUALITY, quality],
    )
    if not writer.isOpened():
        raise UserError(f'{path}: cannot be written\nCheck the free space and your permissions')
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    _verify_length(path)
    with path.open('ab') as file:
        file.write(SYNTHETIC_MARK.encode())  # readers stop at the end of the RIFF chunk


def _verify_length(path: Path) -> None:
    """Compare the length of a file with that in its header: OpenCV does not report a full disk."""
    with path.open('rb') as file:
        length = 8 + int.from_bytes(file.read(8)[4:], 'little')
    if path.stat().st_size != length:
        raise UserError(
            f'{path}: incomplete; is the disk full?\nFree some space and repeat the command'
        )


def write_mat(path: Path, name: str, array: NDArray[np.uint8]) -> None:
    """Write one array as a compressed MATLAB 5 file, without a time in its header."""
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {name: array}, do_compression=True)
    content = buffer.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_MAT_TEXT.ljust(116) + content[116:])


def write_xlsx(path: Path, book: Workbook) -> None:
    """Write a workbook, without times in its properties and its archive."""
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
