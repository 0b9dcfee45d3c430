"""Mutate valid files, read them in a separate process, and print a Markdown table of the outcomes.

    python tools/ci/fuzz.py --mutations 10000
    python tools/ci/fuzz.py dicom --replay 4711

A mutated file must be read, or refused with a UserError. Failures are any other exception, the
death of the process, and more memory or time than the limits; they are printed with the number that
replays them. Seed, reader and number determine the bytes of a mutation.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import resource
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from fuzzed_readers import READERS, Reader
from mutations import mutate

PRELOAD = [
    'echocardmae_mm.datasets.checks',
    'echocardmae_mm.phantom.hmcqu_files',
    'nibabel',
    'pydicom',
]
SECONDS = 20
MEMORY_MB = 1024
READ, REFUSED = 'read', 'refused'


class Outcome(NamedTuple):
    """Result of one mutation: :data:`READ`, :data:`REFUSED` or a failure; and its explanation."""

    kind: str
    detail: str = ''


class Watched:
    """Reads mutations of one reader in a process that is replaced when it dies.

    Args:
        name (str): Key of :data:`READERS`.
        seed (int): Seed of the mutations.
    """

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.seed = name, seed
        self._context = multiprocessing.get_context('forkserver')
        self._context.set_forkserver_preload(PRELOAD)
        self._process: Any = None

    def __enter__(self) -> Watched:
        self._folder = tempfile.TemporaryDirectory(prefix='fuzz')
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._folder.cleanup()

    def outcome(self, index: int) -> Outcome:
        """Read mutation number ``index``."""
        if self._process is None or not self._process.is_alive():
            self._start()
        self._pipe.send(index)
        try:
            if not self._pipe.poll(SECONDS):
                self._end()
                return Outcome('hang', f'more than {SECONDS} s')
            outcome: Outcome = self._pipe.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            code = self._process.exitcode
            self._end()
            return Outcome('crash', f'exit status {code}')
        if outcome.kind == 'memory':  # the peak of a process never falls
            self._end()
        return outcome

    def _start(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        arguments = (self.name, self.seed, self._folder.name, theirs)
        self._process = self._context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        if unread := self._pipe.recv():
            raise RuntimeError(f'{self.name}: its valid files cannot be read: {unread}')

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._process = None


def _serve(name: str, seed: int, scratch: str, pipe: Any) -> None:
    reader = READERS[name]
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        _silence()
        files = reader.make(Path(folder))
        originals = [path.read_bytes() for path in files]
        unread = [outcome for path in files if (outcome := _read(reader, path)).kind != READ]
        gc.freeze()  # mmengine collects garbage for each data set
        most = _peak_memory_mb() + MEMORY_MB
        pipe.send(unread)
        while True:
            try:
                index = pipe.recv()
            except EOFError:
                return
            path, original = files[index % len(files)], originals[index % len(files)]
            path.write_bytes(mutation(name, seed, index, path.name, original))
            outcome = _read(reader, path)
            path.write_bytes(original)
            peak = _peak_memory_mb()
            if peak > most:
                outcome = Outcome('memory', f'{peak - most + MEMORY_MB} MB; {outcome}')
            pipe.send(outcome)


def mutation(reader: str, seed: int, index: int, name: str, content: bytes) -> bytes:
    """The bytes of one mutation of a file of the given name and content."""
    rng = np.random.default_rng([seed, zlib.crc32(reader.encode()), index])
    return mutate(content, rng, READERS[reader].is_text, name)


def _read(reader: Reader, path: Path) -> Outcome:
    from echocardmae_mm.utils.errors import UserError

    try:
        reader.read(path)
    except UserError as error:
        lines = str(error).splitlines()
        if len(lines) > 3:
            return Outcome('long message', f'{len(lines)} lines: {error!r:.300}')
        return Outcome(REFUSED, f'{error!s:.300}')
    except Exception as error:
        import traceback

        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if 'echocardmae_mm' in frame.filename] or frames
        place = f'{Path(ours[-1].filename).name}:{ours[-1].lineno}'
        return Outcome('traceback', f'{type(error).__name__} in {place}: {error!s:.200}')
    return Outcome(READ)


def _silence() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    sys.stdout = sys.stderr = open(os.devnull, 'w')  # noqa: SIM115


def _peak_memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def outcomes(name: str, seed: int, indices: range) -> Iterator[tuple[int, Outcome]]:
    """Read mutations; yield the number and outcome of each."""
    with Watched(name, seed) as watched:
        for index in indices:
            yield index, watched.outcome(index)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('readers', nargs='*', help=f'some of: {", ".join(READERS)} (default: all)')
    parser.add_argument('--mutations', type=int, default=10000, help='mutations of each reader')
    parser.add_argument('--seed', type=int, default=1, help='seed of the mutations')
    parser.add_argument('--replay', type=int, help='read only this mutation, and keep its file')
    args = parser.parse_args()
    names = [name for name in READERS if not args.readers or any(r in name for r in args.readers)]
    if args.replay is not None:
        replay(names[0], args.seed, args.replay)
        return
    print('| files | mutations | read | refused | failures |')
    print('|---|---:|---:|---:|---:|')
    failed = 0
    for name in names:
        counts: Counter[str] = Counter()
        for index, outcome in outcomes(name, args.seed, range(args.mutations)):
            counts[outcome.kind] += 1
            if outcome.kind not in (READ, REFUSED):
                print(f'{name} --replay {index}: {outcome.kind}, {outcome.detail}', file=sys.stderr)
        found = args.mutations - counts[READ] - counts[REFUSED]
        failed += found
        numbers = (args.mutations, counts[READ], counts[REFUSED], found)
        print('|', ' | '.join([name, *(f'{number:,}' for number in numbers)]), '|', flush=True)
    sys.exit(failed > 0)


def replay(name: str, seed: int, index: int) -> None:
    """Read one mutation in this process, with its traceback, and keep its files."""
    folder = Path(tempfile.mkdtemp(prefix='replay'))
    files = READERS[name].make(folder)
    path = files[index % len(files)]
    path.write_bytes(mutation(name, seed, index, path.name, path.read_bytes()))
    print(path)
    READERS[name].read(path)


if __name__ == '__main__':
    main()
