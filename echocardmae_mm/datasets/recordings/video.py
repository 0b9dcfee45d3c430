"""Video files: decord where it is installed, OpenCV elsewhere, both with the pixels of FFMPEG."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

import numpy as np

from echocardmae_mm.datasets.recordings.recording import Recording
from echocardmae_mm.errors import RecordingError

os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
import cv2


def open_video(filename: str) -> Recording:
    """Open a video with the reader at hand.

    Args:
        filename (str): An .avi, .mp4, .mov or .mkv file.

    Returns:
        Recording: With random access by decord, or read from the start by OpenCV.
    """
    if importlib.util.find_spec('decord'):
        return DecordVideo(filename)
    return OpenCVVideo(filename)


class DecordVideo(Recording):
    """A video with random access.

    decord counts the packets that are there, not those that the header promises. The last packet of
    a file that was cut off is there in part: where every frame stands alone it is tried, and left
    out if it cannot be decoded.

    Args:
        filename (str): The file.
    """

    def __init__(self, filename: str) -> None:
        reader = _decord_reader(filename)
        num_frames = len(reader)
        if len(reader.get_key_indices()) == num_frames and not _decodes(reader, num_frames - 1):
            reader, num_frames = _decord_reader(filename), num_frames - 1
        super().__init__(filename, num_frames, reader.get_avg_fps())
        self._reader = reader

    def _decode(self, indices: np.ndarray) -> np.ndarray:
        import decord

        try:
            return self._reader.get_batch(indices).asnumpy()
        except decord.DECORDError:
            return self._decode_singly(indices)

    def _decode_singly(self, indices: np.ndarray) -> np.ndarray:
        """A batch reads ahead and fails where a damaged packet follows the last frame."""
        import decord

        self._reader = _decord_reader(self.filename)
        try:
            return np.stack([self._reader[index].asnumpy() for index in indices])
        except decord.DECORDError as error:
            raise _damaged(self.filename, indices) from error


class OpenCVVideo(Recording):
    """A video that is read from its start, because OpenCV's seeking misses frames.

    The frames are counted by decoding them: the header's count cannot be trusted.

    Args:
        filename (str): The file.
    """

    def __init__(self, filename: str) -> None:
        capture = _capture(filename)
        num_frames = 0
        while capture.grab():
            num_frames += 1
        super().__init__(filename, num_frames, capture.get(cv2.CAP_PROP_FPS))

    def _decode(self, indices: np.ndarray) -> np.ndarray:
        capture = _capture(self.filename)
        wanted, decoded = set(indices.tolist()), []
        for index in range(int(indices[-1]) + 1):
            if not capture.grab():
                raise _damaged(self.filename, indices)
            if index in wanted:
                decoded.append(cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB))
        return np.stack(decoded)


def _decord_reader(filename: str) -> Any:
    import decord

    decord.logging.set_level(decord.logging.QUIET)
    try:
        return decord.VideoReader(filename, num_threads=1)
    except (decord.DECORDError, RuntimeError, AssertionError) as error:
        raise _unreadable(filename) from error


def _decodes(reader: Any, index: int) -> bool:
    import decord

    try:
        reader.get_batch([index])
    except decord.DECORDError:
        return False
    return True


def _capture(filename: str) -> cv2.VideoCapture:
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        capture = cv2.VideoCapture(filename, cv2.CAP_FFMPEG)
    finally:
        cv2.utils.logging.setLogLevel(level)
    if not capture.isOpened():
        raise _unreadable(filename)
    return capture


def _unreadable(filename: str) -> RecordingError:
    return RecordingError(filename, 'no video stream can be read: truncated or damaged')


def _damaged(filename: str, indices: np.ndarray) -> RecordingError:
    return RecordingError(
        filename, f'damaged: not all of the frames {indices[0]} to {indices[-1]} can be decoded'
    )
