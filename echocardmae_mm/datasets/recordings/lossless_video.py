"""Write videos without loss."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from echocardmae_mm.utils.errors import UserError


def write_lossless_avi(path: Path, frames: np.ndarray, fps: float) -> None:
    """Write an AVI file with FFV1, FFmpeg's lossless codec.

    Motion JPEG, as in EchoNet-Dynamic, would smear the sector's edge over black pixels, so that
    nobody could verify that they are black, and would change the ultrasound a second time.

    Args:
        path (Path): The file.
        frames (np.ndarray): uint8 RGB of shape (T, H, W, 3), of even height and width: OpenCV
            would drop the last row or column.
        fps (float): Frames per second.

    Raises:
        UserError: If OpenCV cannot write the file or lacks the codec.
    """
    height, width = frames.shape[1:3]
    codec = cv2.VideoWriter.fourcc(*'FFV1')
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, fps, (width, height))
    if not writer.isOpened():
        raise UserError(f'{path}: OpenCV cannot write this video (AVI with FFV1) here')
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()


def pad_to_even(frames: np.ndarray) -> np.ndarray:
    """Add a black row below, or a black column on the right, if their number is odd."""
    height, width = frames.shape[1:3]
    if height % 2 == width % 2 == 0:
        return frames
    return np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)))
