"""Open the recordings of a data set and decode some of their frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from echocardmae_mm.datasets.recordings import PackedStore, open_recording, read_labels
from echocardmae_mm.utils.errors import RecordingError
from echocardmae_mm.utils.parallel import parallel_imap

_FRAMES_AT_ONCE = 64


class Opened(NamedTuple):
    """Result of opening a recording.

    Args:
        filename (str): The file.
        num_frames (int): Number of frames that can be decoded; 0 if it is unusable.
        reason (str): Why it is unusable; '' if it is usable.
    """

    filename: str
    num_frames: int
    reason: str


def open_all(
    filenames: Sequence[str], label_classes: Mapping[str, int], full: bool, jobs: int
) -> Iterator[Opened]:
    """Open recordings in several processes, in their order.

    Args:
        filenames (Sequence[str]): The files.
        label_classes (Mapping[str, int]): Those that are label images, with their number of
            classes.
        full (bool): Whether to decode all frames, or only the first and the last.
        jobs (int): Number of processes.
    """
    work = partial(_open, label_classes=label_classes, full=full)
    return parallel_imap(work, filenames, jobs)


def open_packed(store: PackedStore) -> Iterator[Opened]:
    """Open the recordings of a store and verify their checksums, in its order."""
    for name in store.recordings:
        try:
            num_frames, reason = len(store.open(name, str(store.folder / name))), ''
        except RecordingError as error:
            num_frames, reason = 0, error.explanation
        yield Opened(name, num_frames, reason)


def _open(filename: str, label_classes: Mapping[str, int], full: bool) -> Opened:
    try:
        if filename in label_classes:
            read_labels(filename, label_classes[filename])
        recording = open_recording(filename)
        num_frames = len(recording)
        if full:
            for first in range(0, num_frames, _FRAMES_AT_ONCE):
                recording.frames(range(first, min(first + _FRAMES_AT_ONCE, num_frames)))
        else:
            recording.frames([0, num_frames - 1])
    except RecordingError as error:
        return Opened(filename, 0, error.explanation)
    return Opened(filename, num_frames, '')
