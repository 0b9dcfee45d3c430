"""Open every recording and decode some of it, on several processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.utils.errors import RecordingError
from echocardmae_mm.utils.parallel import parallel_imap

_FRAMES_AT_ONCE = 64


class Opened(NamedTuple):
    """What became of opening a recording.

    Args:
        filename (str): The file.
        num_frames (int): Frames that can be decoded; 0 if it cannot be used.
        reason (str): Why it cannot be used; empty if it can.
    """

    filename: str
    num_frames: int
    reason: str


def open_all(filenames: Sequence[str], full: bool, jobs: int) -> Iterator[Opened]:
    """Open recordings.

    Args:
        filenames (Sequence[str]): The files.
        full (bool): Whether to decode all frames, rather than the first and the last.
        jobs (int): Number of processes.

    Returns:
        Iterator[Opened]: One for each file, in their order.
    """
    return parallel_imap(partial(_open, full=full), filenames, jobs)


def _open(filename: str, full: bool) -> Opened:
    try:
        recording = open_recording(filename)
        last = len(recording) - 1
        if full:
            for first in range(0, len(recording), _FRAMES_AT_ONCE):
                recording.frames(range(first, min(first + _FRAMES_AT_ONCE, last + 1)))
        else:
            recording.frames([0, last])
    except RecordingError as error:
        return Opened(filename, 0, error.reason)
    return Opened(filename, len(recording), '')
