"""Writing a store of decoded recordings, so that an interrupted call can be repeated."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from echocardmae_mm.datasets.recordings.content_hash import content_hash
from echocardmae_mm.datasets.recordings.opening import open_recording
from echocardmae_mm.datasets.recordings.packed import FRAMES, INDEX, VERSION, name_in_store
from echocardmae_mm.errors import EchoError, RecordingError


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
    content = content_hash(str(path))
    try:
        recording = open_recording(path)
        frames = recording.frames(np.arange(len(recording)))
    except RecordingError as error:
        return Decoded(None, {'content': content, 'refused': error.reason or str(error)})
    about = {'fps': recording.fps, 'spacing': recording.spacing, 'region': recording.region}
    return Decoded(frames, {'content': content, **about})


class StoreWriter:
    """Writes recordings one after the other; what is on disk survives an interruption.

    Until :meth:`finish` the files are called ``frames.bin.part`` and ``index.jsonl.part``, and no
    reader takes them for a store.

    Args:
        folder (Path): Folder of the store; made.
        gray (bool): Whether one channel is kept. The three of a recording must be equal then.

    Raises:
        EchoError: If the folder holds a finished store, or one that was begun otherwise.
    """

    def __init__(self, folder: Path, gray: bool = False) -> None:
        if (folder / INDEX).exists():
            raise EchoError(
                f'{folder} holds a finished store; remove it or choose another folder: nothing is '
                'overwritten'
            )
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.gray = gray
        self.recordings: dict[str, dict[str, Any]] = {}
        self._lines = folder / 'index.jsonl.part'
        self._frames = folder / f'{FRAMES}.part'
        self._size = 0
        self._take_up()

    def add(self, name: str, decoded: Decoded) -> None:
        """Write a recording.

        Args:
            name (str): Its path below the folder that is packed.
            decoded (Decoded): Its frames and what is known of it.

        Raises:
            EchoError: If only one channel is to be kept and they differ, or the disk is full.
        """
        entry = dict(decoded.about)
        frames = decoded.frames
        try:
            if frames is not None:
                frames = self._one_channel(name, frames) if self.gray else frames
                self._file.write(np.ascontiguousarray(frames).data)
                self._file.flush()
                digest = hashlib.blake2b(np.ascontiguousarray(frames).data, digest_size=16)
                entry.update(offset=self._size, shape=frames.shape, checksum=digest.hexdigest())
                self._size += frames.nbytes
            with self._lines.open('a', encoding='utf-8') as lines:
                lines.write(json.dumps({'name': name, **entry}) + '\n')
        except OSError as error:
            raise EchoError(
                f'{self.folder}: cannot be written ({error.strerror})\n'
                'Make room and repeat the command: it goes on with what is there'
            ) from error
        self.recordings[name] = entry

    def finish(self) -> None:
        """Make it a store."""
        os.fsync(self._file.fileno())
        self._file.close()
        index = {
            'version': VERSION,
            'gray': self.gray,
            'bytes': self._size,
            'recordings': dict(sorted(self.recordings.items())),
        }
        part = self.folder / f'{INDEX}.part'
        part.write_text(json.dumps(index), encoding='utf-8')
        os.replace(self._frames, self.folder / FRAMES)
        os.replace(part, self.folder / INDEX)
        self._lines.unlink()

    def _take_up(self) -> None:
        head = {'version': VERSION, 'gray': self.gray}
        if self._lines.exists():
            begun, *lines = self._lines.read_text(encoding='utf-8').splitlines() or ['{}']
            if json.loads(begun) != head:
                raise EchoError(
                    f'{self.folder}: was begun with other settings ({begun}); remove it first'
                )
            for line in lines:
                try:
                    entry = json.loads(line)
                except json.JSONDecodeError:
                    break  # The last line, cut off.
                self.recordings[entry.pop('name')] = entry
            self._rewrite(head)
        else:
            self._lines.write_text(json.dumps(head) + '\n', encoding='utf-8')
        self._file = self._frames.open('ab')
        self._size = max(
            (
                e['offset'] + int(np.prod(e['shape']))
                for e in self.recordings.values()
                if 'shape' in e
            ),
            default=0,
        )
        self._file.truncate(self._size)
        self._file.seek(self._size)

    def _rewrite(self, head: dict[str, Any]) -> None:
        entries = ({'name': name, **entry} for name, entry in self.recordings.items())
        text = ''.join(json.dumps(line) + '\n' for line in (head, *entries))
        self._lines.write_text(text, encoding='utf-8')

    def _one_channel(self, name: str, frames: np.ndarray) -> np.ndarray:
        if not ((frames[..., :1] == frames).all()):
            raise EchoError(
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
        spread (Callable): Ordered lazy map, such as a pool's ``imap``.

    Yields:
        Path: Each recording that was written.
    """
    missing = [path for path in paths if name_in_store(path, root) not in writer.recordings]
    for path, decoded in zip(missing, spread(decode, missing)):
        writer.add(name_in_store(path, root), decoded)
        yield path
