"""Writing a store of decoded recordings, so that an interrupted call can be repeated."""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from echocardmae_mm.datasets.recordings.content_hash import content_hash
from echocardmae_mm.datasets.recordings.opening import open_recording
from echocardmae_mm.datasets.recordings.packed import (
    FRAMES,
    INDEX,
    VERSION,
    checksum,
    name_in_store,
)
from echocardmae_mm.utils.atomic_files import atomic_write_text
from echocardmae_mm.utils.errors import RecordingError, UserError


class Decoded(NamedTuple):
    """One recording, decoded.

    Args:
        frames (np.ndarray | None): uint8 of shape (T, H, W, 3); None if it cannot be used.
        about (dict): What the index will know of it.
    """

    frames: np.ndarray | None
    about: dict[str, Any]


def decode(path: Path) -> Decoded:
    """Decode a recording whole.

    Args:
        path (Path): The file.

    Returns:
        Decoded: Its frames, or why it cannot be used.
    """
    try:
        about = {'content': content_hash(str(path)), 'source_bytes': path.stat().st_size}
    except OSError as error:
        return Decoded(None, {'content': '', 'refused': error.strerror or str(error)})
    try:
        recording = open_recording(path)
        frames = recording.frames(np.arange(len(recording)))
    except RecordingError as error:
        return Decoded(None, {**about, 'refused': error.reason or str(error)})
    about.update(fps=recording.fps, spacing=recording.spacing, region=recording.region)
    return Decoded(frames, about)


class StoreWriter:
    """Writes recordings one after the other; what is on disk survives an interruption.

    Until :meth:`finish` the files are called ``frames.bin.part`` and ``index.jsonl.part``, and no
    reader takes them for a store. Taking up an interrupted call checks the pixels that are there
    against their checksums, and goes on after the last recording that is whole.

    Args:
        folder (Path): Folder of the store; made.
        root (Path): Folder of the data set that is packed.
        gray (bool): Whether one channel is kept. The three of a recording must be equal then.

    Raises:
        UserError: If the folder holds a finished store, one that was begun otherwise or that
            another process is writing, or cannot be written.
    """

    def __init__(self, folder: Path, root: Path, gray: bool = False) -> None:
        self.folder = folder
        self._refuse_finished()
        self.gray = gray
        self.recordings: dict[str, dict[str, Any]] = {}
        self._head = {'version': VERSION, 'gray': gray, 'root': str(root.resolve())}
        self._lines = folder / 'index.jsonl.part'
        self._frames = folder / f'{FRAMES}.part'
        self._size = 0
        with self._told_if_it_cannot_be_written():
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / 'lock').open('a')
            self._take_up()

    def add(self, name: str, decoded: Decoded) -> None:
        """Write a recording.

        Args:
            name (str): Its path below the folder that is packed.
            decoded (Decoded): Its frames and what is known of it.

        Raises:
            UserError: If only one channel is to be kept and they differ, or the disk is full.
        """
        entry = dict(decoded.about)
        frames = decoded.frames
        with self._told_if_it_cannot_be_written():
            if frames is not None:
                frames = self._one_channel(name, frames) if self.gray else frames
                pixels = np.ascontiguousarray(frames).data
                self._file.write(pixels)
                self._file.flush()
                entry.update(offset=self._size, shape=frames.shape, checksum=checksum(pixels))
                self._size += frames.nbytes
            with self._lines.open('a', encoding='utf-8') as lines:
                lines.write(json.dumps({'name': name, **entry}) + '\n')
        self.recordings[name] = entry

    def finish(self) -> None:
        """Make it a store.

        Raises:
            UserError: If the disk is full.
        """
        index = {
            **self._head,
            'bytes': self._size,
            'recordings': dict(sorted(self.recordings.items())),
        }
        with self._told_if_it_cannot_be_written():
            os.fsync(self._file.fileno())
            os.replace(self._frames, self.folder / FRAMES)
            atomic_write_text(self.folder / INDEX, json.dumps(index))
            self._file.close()
            self._lines.unlink()
            (self.folder / 'lock').unlink()
            self._lock.close()

    def _refuse_finished(self) -> None:
        if (self.folder / INDEX).exists():
            raise UserError(
                f'{self.folder} holds a finished store; remove it or choose another folder: '
                'nothing is overwritten'
            )

    def _take_up(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f'{self.folder}: another process is writing this store') from None
        self._refuse_finished()  # By the one that had the lock until now.
        finished_but_for_its_index = self.folder / FRAMES
        if finished_but_for_its_index.exists() and not self._lines.exists():
            raise UserError(
                f'{finished_but_for_its_index} is not of a store that was begun here\n'
                'Choose another folder: nothing is overwritten'
            )
        if finished_but_for_its_index.exists() and not self._frames.exists():
            os.replace(finished_but_for_its_index, self._frames)
        self._file = self._frames.open('ab+')
        for entry in self._entries_on_disk():
            if not self._is_whole(entry):
                break
            self.recordings[entry.pop('name')] = entry
            self._size += math.prod(entry['shape']) if 'shape' in entry else 0
        self._file.truncate(self._size)
        entries = ({'name': name, **entry} for name, entry in self.recordings.items())
        atomic_write_text(
            self._lines, ''.join(json.dumps(line) + '\n' for line in (self._head, *entries))
        )

    def _entries_on_disk(self) -> Iterator[dict[str, Any]]:
        if not self._lines.exists():
            return
        begun, *lines = self._lines.read_text(encoding='utf-8').splitlines() or ['{}']
        if json.loads(begun) != self._head:
            raise UserError(
                f'{self.folder}: was begun with other settings ({begun}); remove it, or repeat '
                'what was begun'
            )
        for line in lines:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                return  # The last line, cut off.

    def _is_whole(self, entry: dict[str, Any]) -> bool:
        if 'shape' not in entry:
            return True
        end = entry['offset'] + math.prod(entry['shape'])
        if entry['offset'] != self._size or self._frames.stat().st_size < end:
            return False
        pixels = np.memmap(self._frames, np.uint8, 'r')[entry['offset'] : end]
        return checksum(pixels.data) == entry['checksum']

    @contextmanager
    def _told_if_it_cannot_be_written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(
                f'{self.folder}: cannot be written ({error.strerror})\n'
                'Make room and repeat the command: it goes on with what is there'
            ) from error

    def _one_channel(self, name: str, frames: np.ndarray) -> np.ndarray:
        if not ((frames[..., :1] == frames).all()):
            raise UserError(
                f'{name}: its channels differ, so that one of them does not hold its pixels\n'
                'Pack without --gray, into another folder'
            )
        return frames[..., :1]


def pack(
    root: Path,
    paths: Iterable[Path],
    writer: StoreWriter,
    spread: Callable[[Callable[[Path], Decoded], list[Path]], Iterable[Decoded]],
) -> Iterator[Path]:
    """Decode and write what the store does not hold yet.

    Args:
        root (Path): The folder that is packed.
        paths (Iterable[Path]): Recordings in it.
        writer (StoreWriter): Where they go.
        spread (Callable): Lazy map in order, such as :func:`echocardmae_mm.utils.parallel.parallel_imap`.

    Returns:
        Iterator[Path]: Each recording, when it is written.
    """
    missing = [path for path in paths if name_in_store(path, root) not in writer.recordings]

    def write(path: Path, decoded: Decoded) -> Path:
        writer.add(name_in_store(path, root), decoded)
        return path

    return map(write, missing, spread(decode, missing))
