"""Writing frames as the AVI files that the data sets' owners ship."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from echocardmae_mm.utils.atomic_files import verify_frame_count
from echocardmae_mm.utils.errors import UserError


def write_avi(path: Path, frames: NDArray[np.uint8], fps: float, quality: int = 85) -> None:
    """Write (T, H, W, 3) RGB frames as Motion JPEG; equal frames give equal bytes.

    OpenCV's own encoder writes them: it is in every build, and on one thread its output does not
    depend on the machine's.

    Raises:
        UserError: The file cannot be written, or not whole.
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
        raise UserError(f'{path}: cannot be written; is there space, and may you write there?')
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    verify_frame_count(path, len(frames))
