"""Recordings decoded once and kept as they are, for fast reading: the store and its reader.

A store is a folder of two files: ``frames.bin``, the frames of all recordings one after the other,
uint8 of shape (T, H, W, C), and ``index.json``, where each lies and what is known of it. Its pixels
are those of the files, frame by frame.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from echocardmae_mm.datasets.recordings.recording import Recording
from echocardmae_mm.utils.errors import RecordingError, UserError

FRAMES, INDEX = 'frames.bin', 'index.json'
VERSION = 2


class PackedStore:
    """A store that ``tools/pack_videos.py`` wrote, opened for reading.

    It can be handed to loading processes: each opens the file for itself.

    Args:
        folder (str | Path): Folder of ``frames.bin`` and ``index.json``.

    Raises:
        UserError: If there is no store, it is half written, of another version, or not as large as
            its index says.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._file: int | None = None
        self._process = -1
        self._map: np.ndarray | None = None
        index = self._read_index()
        self.gray: bool = index['gray']
        self.recordings: dict[str, dict[str, Any]] = index['recordings']
        expected, found = index['bytes'], (self.folder / FRAMES).stat().st_size
        if expected != found:
            raise UserError(
                f'{self.folder / FRAMES}: {found} bytes, expected {expected}: changed or cut off\n'
                'Remove the store and pack it again'
            )

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), '_file': None, '_process': -1, '_map': None}

    def open(self, name: str, filename: str) -> PackedRecording:
        """Open a recording.

        Args:
            name (str): Its path below the folder that was packed.
            filename (str): What messages call it.

        Returns:
            PackedRecording: Its frames on demand.

        Raises:
            RecordingError: If it could not be read when it was packed, with the reason.
            UserError: If the store does not hold it, or the file is another one by now.
        """
        entry = self.entry(name)
        if 'refused' in entry:
            raise RecordingError(filename, entry['refused'])
        if os.path.isfile(filename) and os.path.getsize(filename) != entry['source_bytes']:
            raise UserError(
                f'{filename} is not the file that was packed into {self.folder}\n'
                'Remove the store and pack the data set again'
            )
        return PackedRecording(self, filename, entry)

    def damaged(self) -> Iterator[tuple[str, bool]]:
        """Compare the pixels of each recording with its checksum.

        Yields:
            tuple[str, bool]: Its name, and whether it is damaged.
        """
        for name, entry in self.recordings.items():
            if 'shape' in entry:
                yield name, checksum(self.view(name).data) != entry['checksum']

    def entry(self, name: str) -> dict[str, Any]:
        """What the index knows of a recording.

        Args:
            name (str): Its path below the folder that was packed.

        Returns:
            dict: ``offset``, ``shape``, ``checksum``, ``fps``, ``spacing``, ``region``,
            ``content`` and ``source_bytes``; or ``refused`` and ``content``.

        Raises:
            UserError: If the store does not hold it.
        """
        try:
            return self.recordings[name]
        except KeyError:
            raise UserError(
                f'{self.folder}: does not hold {name}\n'
                'Remove the store and pack the data set again with tools/pack_videos.py'
            ) from None

    def read(self, offset: int, frames: np.ndarray) -> None:
        """Read one frame into an array.

        Args:
            offset (int): Its first byte in ``frames.bin``.
            frames (np.ndarray): uint8, contiguous, filled.

        Raises:
            UserError: If the file ends before: it was cut off since it was opened.
        """
        if os.preadv(self._descriptor(), [frames.data], offset) != frames.nbytes:
            raise UserError(self._cut_off(offset + frames.nbytes))

    def view(self, name: str) -> np.ndarray:
        """Frames of a recording where they lie: nothing is read before they are looked at.

        Twice as fast as :meth:`read`, for which there is no moment at which the file may be cut
        off: here the system ends a process that looks behind the end of a file that was cut off
        since this looked at its length.

        Args:
            name (str): Its path below the folder that was packed.

        Returns:
            np.ndarray: uint8 of shape (T, H, W, C), not to be written to.

        Raises:
            UserError: If the file ends before: it was cut off since it was opened.
        """
        entry = self.entry(name)
        end = entry['offset'] + math.prod(entry['shape'])
        if os.fstat(self._descriptor()).st_size < end:
            raise UserError(self._cut_off(end))
        if self._map is None:
            # Slices of a memmap are slow to make; those of an array over it are not.
            self._map = np.asarray(np.memmap(self.folder / FRAMES, np.uint8, 'r'))
        frames: np.ndarray = self._map[entry['offset'] : end].reshape(entry['shape'])
        return frames

    def _cut_off(self, end: int) -> str:
        return (
            f'{self.folder / FRAMES}: ends before byte {end}: it was cut off while it was in use\n'
            'Remove the store and pack it again; the run goes on with --resume'
        )

    def _descriptor(self) -> int:
        if self._process != os.getpid():
            self._file = os.open(self.folder / FRAMES, os.O_RDONLY)
            self._process = os.getpid()
        assert self._file is not None
        return self._file

    def _read_index(self) -> dict[str, Any]:
        path = self.folder / INDEX
        if not path.is_file():
            half = any(self.folder.glob('*.part'))
            state = 'is half written; the same command goes on with it' if half else 'is no store'
            raise UserError(
                f'{self.folder} {state}: python tools/pack_videos.py DATASET --out {self.folder}'
            )
        try:
            index = json.loads(path.read_text(encoding='utf-8'))
        except ValueError:
            raise UserError(
                f'{path}: damaged\nRemove the store and pack the data set again'
            ) from None
        if index.get('version') != VERSION:
            raise UserError(
                f'{path}: version {index.get("version")}, expected {VERSION}\n'
                'Remove the store and pack the data set again'
            )
        return index


class PackedRecording(Recording):
    """A recording of a store.

    Args:
        store (PackedStore): Where its frames are.
        filename (str): What messages call it.
        entry (dict): What the index knows of it.
    """

    def __init__(self, store: PackedStore, filename: str, entry: dict[str, Any]) -> None:
        num_frames, height, width, channels = entry['shape']
        super().__init__(
            filename,
            num_frames,
            entry['fps'],
            tuple(entry['spacing']) if entry['spacing'] else None,
            tuple(entry['region']) if entry['region'] else None,
        )
        self._store = store
        self._offset = entry['offset']
        self._frame = (height, width, channels)

    def _decode(self, indices: np.ndarray) -> np.ndarray:
        frames = np.empty((len(indices), *self._frame), np.uint8)
        for frame, index in zip(frames, indices.tolist()):
            self._store.read(self._offset + index * frame.nbytes, frame)
        return frames if self._frame[-1] == 3 else np.repeat(frames, 3, axis=-1)


def checksum(pixels: bytes | memoryview) -> str:
    """By which pixels are recognised as those that were packed.

    Args:
        pixels (bytes): A recording's.

    Returns:
        str: 128 bits of BLAKE2b as hexadecimal digits.
    """
    return hashlib.blake2b(pixels, digest_size=16).hexdigest()


def name_in_store(path: str | Path, root: str | Path) -> str:
    """What a store calls a recording.

    Args:
        path (str | Path): The file.
        root (str | Path): The folder that was packed.

    Returns:
        str: The path below that folder, with strokes.
    """
    return Path(os.path.relpath(path, root or '.')).as_posix()
