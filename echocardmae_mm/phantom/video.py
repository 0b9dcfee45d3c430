"""Writing frames as the AVI files that the data sets' owners ship."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import EchoError
from ..whole_files import require_whole_video


def write_avi(path: Path, frames: NDArray[np.uint8], fps: float, quality: int = 85) -> None:
    """Write (T, H, W, 3) RGB frames as Motion JPEG; equal frames give equal bytes.

    OpenCV's own encoder writes them: it is in every build, and on one thread its output does not
    depend on the machine's.

    Raises:
        EchoError: The file cannot be written, or not whole.
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
        raise EchoError(f'{path}: cannot be written; is there space, and may you write there?')
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    require_whole_video(path, len(frames))
