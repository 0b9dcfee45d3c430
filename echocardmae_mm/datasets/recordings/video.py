"""Read video files with decord or OpenCV; both use FFmpeg and decode the same pixels."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np

from echocardmae_mm.datasets.recordings.recording import Recording
from echocardmae_mm.utils.errors import RecordingError

os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
import cv2

# Decoding this many frames in order takes as long as one seek of decord.
FRAMES_PER_SEEK = 16


def open_video(filename: str) -> Recording:
    """Open a video.

    Args:
        filename (str): An .avi, .mp4, .mov or .mkv file.

    Returns:
        Recording: Read with decord, or with OpenCV if decord is not installed or the file is
        truncated, which decord does not handle.
    """
    if importlib.util.find_spec('decord') and not is_truncated(filename):
        return DecordVideo(filename)
    return OpenCVVideo(filename)


def is_truncated(filename: str) -> bool:
    """Whether an AVI file is shorter than its header states; False for all other containers."""
    path = Path(filename)
    with path.open('rb') as file:
        riff, size = file.read(4), int.from_bytes(file.read(4), 'little')
    return riff == b'RIFF' and 8 + size > path.stat().st_size


class DecordVideo(Recording):
    """A video with random access; its length is the number of packets, not that in the header.

    Frames of a clip are close together, so decoding in order is faster than seeking.
    """

    def __init__(self, filename: str) -> None:
        import decord

        decord.logging.set_level(decord.logging.QUIET)
        try:
            self._reader = decord.VideoReader(filename, num_threads=1)
        except (decord.DECORDError, RuntimeError, AssertionError) as error:
            raise _unreadable(filename) from error
        super().__init__(filename, len(self._reader), self._reader.get_avg_fps())

    def _decode(self, indices: np.ndarray) -> np.ndarray:
        import decord

        if indices[-1] < FRAMES_PER_SEEK * len(indices):
            return read_in_order(self.filename, indices)
        try:
            return self._reader.get_batch(indices).asnumpy()
        except decord.DECORDError as error:
            raise _damaged(self.filename, indices) from error


class OpenCVVideo(Recording):
    """A video that is always read from the start, because OpenCV seeks inaccurately.

    Opening decodes all frames to count them, because the header is unreliable. Drops the incomplete
    last frame of a truncated file.
    """

    def __init__(self, filename: str) -> None:
        capture = _capture(filename)
        num_frames = 0
        while capture.grab():
            num_frames += 1
        num_frames -= is_truncated(filename)
        super().__init__(filename, num_frames, capture.get(cv2.CAP_PROP_FPS))

    def _decode(self, indices: np.ndarray) -> np.ndarray:
        return read_in_order(self.filename, indices)


def read_in_order(filename: str, indices: np.ndarray) -> np.ndarray:
    """Decode a video from its start with OpenCV, and convert only the requested frames.

    Args:
        filename (str): The file.
        indices (np.ndarray): Requested frames, int64 of shape (n,), ascending.

    Returns:
        np.ndarray: uint8 RGB of shape (n, H, W, 3).

    Raises:
        RecordingError: If the video ends before the last of them.
    """
    capture = _capture(filename)
    wanted, decoded = set(indices.tolist()), []
    for index in range(int(indices[-1]) + 1):
        if not capture.grab():
            raise _damaged(filename, indices)
        if index in wanted:
            decoded.append(cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB))
    return np.stack(decoded)


def _capture(filename: str) -> cv2.VideoCapture:
    logging = getattr(cv2.utils, 'logging', cv2)  # OpenCV 4 has the functions in cv2 itself.
    level = logging.getLogLevel()
    logging.setLogLevel(0)
    try:
        capture = cv2.VideoCapture(filename, cv2.CAP_FFMPEG)
    finally:
        logging.setLogLevel(level)
    if not capture.isOpened():
        raise _unreadable(filename)
    return capture


def _unreadable(filename: str) -> RecordingError:
    return RecordingError(filename, 'no readable video stream: truncated or damaged')


def _damaged(filename: str, indices: np.ndarray) -> RecordingError:
    return RecordingError(
        filename, f'damaged: not all of the frames {indices[0]} to {indices[-1]} can be decoded'
    )
