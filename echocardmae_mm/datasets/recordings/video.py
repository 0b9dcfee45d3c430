"""Read video files with PyAV, which decodes with FFmpeg.

OpenCV returns undefined memory for interlaced video, and decord returns other frames than requested
after seeking in several codecs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from echocardmae_mm.datasets.recordings.recording import Recording
from echocardmae_mm.utils.errors import RecordingError


class VideoRecording(Recording):
    """A video of any codec that FFmpeg decodes.

    Its length is the number of frames that can be decoded, not the number in the header. Motion
    JPEG codes every frame on its own, so only the requested frames are decoded. Other codecs are
    decoded from the start of the file, because seeking in them is inexact.

    Args:
        filename (str): An .avi, .mp4, .mov or .mkv file.

    Raises:
        RecordingError: If there is no readable video stream, or a frame is damaged; a damaged
            frame of Motion JPEG is noticed when it is read.
    """

    def __init__(self, filename: str) -> None:
        with _open_stream(filename) as (container, stream):
            fps = stream.average_rate
            self._is_motion_jpeg = stream.codec_context.name == 'mjpeg'
            if self._is_motion_jpeg:
                with _decoding(filename):
                    num_frames = sum(1 for _ in _shown_packets(container, stream))
        if not self._is_motion_jpeg:
            status = os.stat(filename)
            num_frames = _count_frames(filename, status.st_size, status.st_mtime_ns)
        super().__init__(filename, num_frames, fps and float(fps))

    def _decode(self, indices: np.ndarray) -> np.ndarray:
        reformatter = VideoReformatter()
        with _open_stream(self.filename) as (container, stream), _decoding(self.filename, indices):
            read = _pick_frames if self._is_motion_jpeg else _read_in_order
            rgb, turns, count = np.empty(0, np.uint8), 0, 0
            for count, frame in enumerate(read(container, stream, indices), start=1):
                bgr = _bgr(frame, reformatter)
                if count == 1:
                    rgb, turns = np.empty((len(indices), *bgr.shape), np.uint8), _turns(frame)
                if count > len(rgb) or bgr.shape != rgb.shape[1:] or _turns(frame) != turns:
                    raise av.InvalidDataError(0, 'frames of several sizes, or too many')
                cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, dst=rgb[count - 1])
            if count != len(indices):
                raise av.InvalidDataError(0, 'missing frames')
        return np.ascontiguousarray(np.rot90(rgb, turns, axes=(1, 2))) if turns else rgb


@contextmanager
def _open_stream(filename: str) -> Iterator[tuple[Any, Any]]:
    """Open the main video stream of a file."""
    try:
        # Without the prefix, a colon in the file's name would select a protocol.
        container = av.open(f'file:{filename}', metadata_errors='ignore')
    except av.FFmpegError as error:
        raise _unreadable(filename) from error
    with container:
        stream = container.streams.best('video')
        if stream is None or stream.codec_context is None:
            raise _unreadable(filename)
        stream.codec_context.thread_count = 1
        if stream.codec_context.name == 'mjpeg':
            # Otherwise a damaged frame keeps pixels of whatever used its memory before.
            stream.codec_context.options = {'err_detect': 'explode'}
        yield container, stream


@contextmanager
def _decoding(filename: str, indices: np.ndarray | None = None) -> Iterator[None]:
    try:
        yield
    except av.FFmpegError as error:
        frames = 'frames' if indices is None else f'frames {indices[0]} to {indices[-1]}'
        raise RecordingError(
            filename, f'damaged: not all of the {frames} can be decoded'
        ) from error


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the packets, without one that the end of the file cuts off."""
    is_cut_off = False
    for packet in container.demux(stream):
        if is_cut_off and packet.size:
            raise av.InvalidDataError(0, 'incomplete packet before the end of the file')
        if packet.is_corrupt:
            is_cut_off = True
        else:
            yield packet


def _shown_packets(container: Any, stream: Any) -> Iterator[Any]:
    """Yield one packet for each frame, without those that an edit list hides."""
    return (p for p in _packets(container, stream) if p.size and not p.is_discard)


def _pick_frames(container: Any, stream: Any, indices: np.ndarray) -> Iterator[Any]:
    wanted = set(indices.tolist())
    for index, packet in enumerate(_shown_packets(container, stream)):
        if index in wanted:
            yield from packet.decode()
        if index == indices[-1]:
            return


def _read_in_order(container: Any, stream: Any, indices: np.ndarray) -> Iterator[Any]:
    wanted = set(indices.tolist())
    frames = islice(_all_frames(container, stream), int(indices[-1]) + 1)
    return (frame for index, frame in enumerate(frames) if index in wanted)


def _all_frames(container: Any, stream: Any) -> Iterator[Any]:
    for packet in _packets(container, stream):
        for frame in packet.decode():
            if frame.is_corrupt:
                raise av.InvalidDataError(0, 'corrupt frame')
            yield frame


@cache
def _count_frames(filename: str, size: int, modified_ns: int) -> int:
    """Count the frames of a file by decoding it; size and time identify its content."""
    with _open_stream(filename) as (container, stream), _decoding(filename):
        return sum(1 for _ in _all_frames(container, stream))


def _bgr(frame: Any, reformatter: VideoReformatter) -> np.ndarray:
    # As in OpenCV's reader, whose pixels these equal; a direct conversion to RGB rounds
    # differently in some formats.
    bgr = reformatter.reformat(
        frame, format='bgr24', interpolation=Interpolation.BICUBIC, threads=1
    )
    pixels: np.ndarray = bgr.to_ndarray()
    return pixels


def _turns(frame: Any) -> int:
    """Quarter turns to the left at which to show a frame."""
    return round(frame.rotation / 90)


def _unreadable(filename: str) -> RecordingError:
    return RecordingError(filename, 'no readable video stream: truncated or damaged')
