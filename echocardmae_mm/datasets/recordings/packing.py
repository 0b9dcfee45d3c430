"""Write a store of decoded recordings; an interrupted call can be resumed."""

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
    index_text,
    name_in_store,
    stored_checksum,
)
from echocardmae_mm.utils.atomic_files import atomic_write_text
from echocardmae_mm.utils.errors import RecordingError, UserError


class Decoded(NamedTuple):
    """A decoded recording.

    Args:
        frames (np.ndarray | None): uint8 of shape (T, H, W, 3), or (T, H, W, 1) if its channels
            are equal; None if it cannot be used.
        metadata (dict): Its entry in the index, without its position in ``frames.bin``.
    """

    frames: np.ndarray | None
    metadata: dict[str, Any]


def decode(path: Path) -> Decoded:
    """Decode all frames of a recording, or record why it cannot be used."""
    try:
        metadata = {'content': content_hash(str(path)), 'source_bytes': path.stat().st_size}
    except OSError as error:
        return Decoded(None, {'content': '', 'refused': error.strerror or str(error)})
    try:
        recording = open_recording(path)
        frames = _drop_equal_channels(recording.frames(np.arange(len(recording))))
    except RecordingError as error:
        return Decoded(None, {**metadata, 'refused': error.explanation or str(error)})
    metadata.update(fps=recording.fps, spacing=recording.spacing, region=recording.region)
    return Decoded(frames, metadata)


class StoreWriter:
    """Append recordings to a store; recordings already on disk survive an interruption.

    Until :meth:`finish`, the files are named ``frames.bin.part`` and ``index.jsonl.part``, so no
    reader mistakes them for a store. Resuming verifies the checksums of the pixels on disk and
    continues after the last complete recording.

    Args:
        folder (Path): Folder of the store, created if necessary.
        root (Path): Folder of the data set.

    Raises:
        UserError: If the folder contains a finished store or one begun for another data set,
            another process is writing to it, or it is not writable.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self._refuse_finished()
        self.recordings: dict[str, dict[str, Any]] = {}
        self._head = {'version': VERSION, 'root': str(root.resolve())}
        self._lines = folder / 'index.jsonl.part'
        self._frames = folder / f'{FRAMES}.part'
        self._size = 0
        with self._reporting_disk_errors():
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / 'lock').open('a')
            self._resume()

    def add(self, name: str, decoded: Decoded) -> None:
        """Append a recording under its :func:`name_in_store`.

        Raises:
            UserError: If the disk is full.
        """
        frames, entry = decoded.frames, dict(decoded.metadata)
        with self._reporting_disk_errors():
            if frames is not None:
                pixels = np.ascontiguousarray(frames)
                self._file.write(pixels.data)
                self._file.flush()
                entry.update(offset=self._size, shape=pixels.shape, checksum=checksum(pixels.data))
                self._size += pixels.nbytes
            with self._lines.open('a', encoding='utf-8') as lines:
                lines.write(json.dumps({'name': name, **entry}) + '\n')
        self.recordings[name] = entry

    def finish(self) -> None:
        """Turn the partial files into a store."""
        recordings = dict(sorted(self.recordings.items()))
        index = {**self._head, 'bytes': self._size, 'recordings': recordings}
        with self._reporting_disk_errors():
            os.fsync(self._file.fileno())
            os.replace(self._frames, self.folder / FRAMES)
            atomic_write_text(self.folder / INDEX, index_text(index))
            self._file.close()
            self._lines.unlink()
            (self.folder / 'lock').unlink()
            self._lock.close()

    def _refuse_finished(self) -> None:
        if (self.folder / INDEX).exists():
            raise UserError(
                f'{self.folder} contains a finished store; remove it or choose another folder'
            )

    def _resume(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f'{self.folder}: another process is writing this store') from None
        self._refuse_finished()  # Another process may have finished it before releasing the lock.
        renamed = self.folder / FRAMES
        for file in (renamed, self._frames):
            if file.exists() and file.stat().st_size and not self._lines.exists():
                raise UserError(f'{file} does not belong to a store; choose another folder')
        if renamed.exists() and not self._frames.exists():
            os.replace(renamed, self._frames)  # Killed between the last two renames.
        self._file = self._frames.open('ab+')
        for entry in self._entries_on_disk():
            if not self._is_complete(entry):
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
        head, *lines = self._lines.read_bytes().splitlines() or [b'{}']
        try:
            begun = json.loads(head)
        except ValueError:
            begun = None
        if begun != self._head:
            raise UserError(
                f'{self.folder}: begun with other settings: {begun}\n'
                'Repeat that command, or remove the folder'
            )
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError:
                return  # the last line is truncated

    def _is_complete(self, entry: dict[str, Any]) -> bool:
        if 'shape' not in entry:
            return True
        if entry['offset'] != self._size:
            return False
        return stored_checksum(self._file, entry) == entry['checksum']

    @contextmanager
    def _reporting_disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(
                f'{self.folder}: not writable ({error.strerror})\n'
                'Free some space and repeat the command; it continues where it stopped'
            ) from error


def pack(
    root: Path,
    paths: Iterable[Path],
    writer: StoreWriter,
    imap: Callable[[Callable[[Path], Decoded], list[Path]], Iterable[Decoded]],
) -> Iterator[Path]:
    """Decode and write the recordings that are not yet in the store.

    Args:
        root (Path): Folder of the data set.
        paths (Iterable[Path]): Recordings in it.
        writer (StoreWriter): The store.
        imap (Callable): A lazy, ordered map: ``map``, or
            :func:`echocardmae_mm.utils.parallel.parallel_imap` with its number of jobs bound.

    Yields:
        Path: Each recording, after it is written.
    """
    missing = [path for path in paths if name_in_store(path, root) not in writer.recordings]
    for path, decoded in zip(missing, imap(decode, missing)):
        writer.add(name_in_store(path, root), decoded)
        yield path


def _drop_equal_channels(frames: np.ndarray) -> np.ndarray:
    is_grey = all((frame[..., :1] == frame).all() for frame in frames)
    return frames[..., :1] if is_grey else frames
