"""Read decoded recordings from a store, which is faster than decoding.

A store is a folder of two files. ``frames.bin`` contains the frames of all recordings one after the
other, each uint8 of shape (T, H, W, C), where C is 1 if the three channels are equal and 3
otherwise; ``index.json`` contains the position and the metadata of each recording, and its own
checksum. The pixels equal those decoded from the original files.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from echocardmae_mm.datasets.recordings.recording import Recording
from echocardmae_mm.utils.errors import RecordingError, UserError
from echocardmae_mm.utils.text_files import read_json

FRAMES, INDEX = 'frames.bin', 'index.json'
VERSION = 3
DAMAGED = 'its pixels in the store are damaged'
_PACK_AGAIN = 'Remove the store and pack the data set again: echocardmae pack'
_BLOCK = 1 << 20


class PackedStore:
    """A store written by ``echocardmae pack``, opened for reading.

    It can be pickled: each worker process opens the file itself. The first process that opens a
    recording verifies its checksum, for all processes that share the store's memory.

    Args:
        folder (str | Path): Folder that contains ``frames.bin`` and ``index.json``.

    Raises:
        UserError: If there is no complete store of this version, or its size contradicts the index.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._descriptor = -1
        self._process = -1
        index = self._read_index()
        self.recordings: dict[str, dict[str, Any]] = index['recordings']
        self._positions = {name: position for position, name in enumerate(self.recordings)}
        self._verified = torch.zeros(len(self.recordings), dtype=torch.uint8).share_memory_()
        expected, found = index['bytes'], (self.folder / FRAMES).stat().st_size
        if expected != found:
            raise UserError(
                f'{self.folder / FRAMES}: changed or truncated; found {found} bytes, '
                f'expected {expected}\n{_PACK_AGAIN}'
            )

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), '_descriptor': -1, '_process': -1}

    def open(self, name: str, filename: str) -> PackedRecording:
        """Open a recording.

        Args:
            name (str): Its path relative to the packed folder.
            filename (str): The original file, for messages. If it exists, its size is checked.

        Raises:
            RecordingError: If it could not be read when the store was written, or its pixels in the
                store are damaged.
            UserError: If the store does not contain it, or the file has changed since.
        """
        entry = self.entry(name)
        if 'refused' in entry:
            raise RecordingError(filename, entry['refused'])
        position = self._positions[name]
        if not self._verified[position]:
            if os.path.isfile(filename) and os.path.getsize(filename) != entry['source_bytes']:
                raise UserError(
                    f'{filename} is not the file that was packed into {self.folder}\n{_PACK_AGAIN}'
                )
            with (self.folder / FRAMES).open('rb') as file:
                if stored_checksum(file, entry) != entry['checksum']:
                    raise RecordingError(filename, DAMAGED)
            self._verified[position] = 1
        return PackedRecording(self, filename, entry)

    def damaged(self) -> Iterator[tuple[str, bool]]:
        """Yield the name of each recording, and whether its checksum is wrong."""
        with (self.folder / FRAMES).open('rb') as file:
            for name, entry in self.recordings.items():
                if 'shape' in entry:
                    yield name, stored_checksum(file, entry) != entry['checksum']

    def entry(self, name: str) -> dict[str, Any]:
        """Look up a recording in the index.

        Returns:
            dict: ``offset``, ``shape``, ``checksum``, ``fps``, ``spacing``, ``region``,
            ``content`` and ``source_bytes``; or ``refused``, the reason, and ``content``.

        Raises:
            UserError: If the store does not contain it.
        """
        try:
            return self.recordings[name]
        except KeyError:
            raise UserError(f'{self.folder}: does not contain {name}\n{_PACK_AGAIN}') from None

    def read(self, offset: int, indices: np.ndarray, frames: np.ndarray) -> None:
        """Read frames of a recording into an array.

        Uses ``read`` rather than a memory map: if another process truncates the file, accessing a
        map kills the process (SIGBUS).

        Args:
            offset (int): First byte of the recording in ``frames.bin``.
            indices (np.ndarray): Frames from 0, in any order, shape (n,).
            frames (np.ndarray): Destination, contiguous uint8 of shape (n, H, W, C).

        Raises:
            UserError: If the file was truncated after it was opened.
        """
        if self._process != os.getpid():
            self._descriptor = os.open(self.folder / FRAMES, os.O_RDONLY)
            self._process = os.getpid()
        size = math.prod(frames.shape[1:])
        for frame, index in zip(frames, indices.tolist()):
            if os.preadv(self._descriptor, [frame], offset + index * size) != size:
                raise UserError(
                    f'{self.folder / FRAMES}: truncated while in use\n'
                    f'{_PACK_AGAIN}; then continue the run with --resume'
                )

    def _read_index(self) -> dict[str, Any]:
        path = self.folder / INDEX
        if not path.is_file():
            is_partial = any(self.folder.glob('*.part'))
            state = (
                'is incomplete; repeat the command' if is_partial else 'is not a store; make one'
            )
            raise UserError(f'{self.folder} {state}: echocardmae pack DATASET --out {self.folder}')
        try:
            index = read_json(path)
            stated = index.pop('checksum', None)
        except UserError:
            raise UserError(f'{path}: damaged\n{_PACK_AGAIN}') from None
        if index.get('version') != VERSION:
            raise UserError(
                f'{path}: version {index.get("version")}, expected {VERSION}\n{_PACK_AGAIN}'
            )
        if stated != _index_checksum(index):
            raise UserError(f'{path}: damaged\n{_PACK_AGAIN}')
        return index


class PackedRecording(Recording):
    """A recording in a store, with its entry in the index and the original file for messages."""

    random_access = True

    def __init__(self, store: PackedStore, filename: str, entry: dict[str, Any]) -> None:
        num_frames, *self._frame = entry['shape']
        super().__init__(
            filename,
            num_frames,
            entry['fps'],
            tuple(entry['spacing']) if entry['spacing'] else None,
            tuple(entry['region']) if entry['region'] else None,
        )
        self._store = store
        self._offset = entry['offset']

    def _decode(self, indices: np.ndarray) -> np.ndarray:
        frames = np.empty((len(indices), *self._frame), np.uint8)
        self._store.read(self._offset, indices, frames)
        return frames


def index_text(index: dict[str, Any]) -> str:
    """Text of ``index.json``, with the checksum of the index."""
    return json.dumps({**index, 'checksum': _index_checksum(index)})


def _index_checksum(index: dict[str, Any]) -> str:
    return checksum(json.dumps(index).encode())


def checksum(pixels: bytes | memoryview) -> str:
    """Checksum of a recording's pixels: 128 bits of BLAKE2b as hexadecimal digits."""
    return hashlib.blake2b(pixels, digest_size=16).hexdigest()


def stored_checksum(file: BinaryIO, entry: dict[str, Any]) -> str:
    """:func:`checksum` of the pixels in ``frames.bin`` that belong to an entry of the index."""
    digest = hashlib.blake2b(digest_size=16)
    file.seek(entry['offset'])
    remaining = math.prod(entry['shape'])
    while block := file.read(min(remaining, _BLOCK)):
        digest.update(block)
        remaining -= len(block)
    return digest.hexdigest()


def name_in_store(path: str | Path, root: str | Path) -> str:
    """Name of a recording in a store: its path relative to the packed folder, in POSIX form."""
    return Path(os.path.relpath(path, root or '.')).as_posix()
