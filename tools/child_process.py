"""Jobs that are other tools of this folder, in processes of their own."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mistakes import UserError
from rich.console import Console

TOOLS = Path(__file__).parent


@contextmanager
def held(folder: Path) -> Iterator[int]:
    """Keep a second process from training into the same folder; gives the lock's descriptor.

    A child that inherits the descriptor holds the lock until its own end, whatever becomes of this
    process.
    """
    with (folder / '.lock').open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f'{folder}: another process is at work in it') from None
        yield lock.fileno()


class Child:
    """A tool of this folder at work, its output kept in ``<folder>/<tool>.log``.

    Args:
        tool (str): Its file, such as train.py.
        arguments (list[str]): Its command line.
        folder (Path): Where the log goes.
        name (str): What messages call the job.
        lock (int, optional): Of :func:`held`. Defaults to None.
        environment (Mapping[str, str], optional): In place of this process's. Defaults to None.
    """

    def __init__(
        self,
        tool: str,
        arguments: list[str],
        folder: Path,
        name: str,
        lock: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.tool = tool
        self.name = name
        self.log = folder / f'{Path(tool).stem}.log'
        with self.log.open('ab') as log:
            self.begins = log.tell()
            # A group of its own: a signal comes once, from here.
            self.process = subprocess.Popen(
                [sys.executable, str(TOOLS / tool), *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=() if lock is None else (lock,),
                env=environment,
            )

    def is_running(self) -> bool:
        return self.process.poll() is None

    def progress(self) -> str:
        """The last step that the tool has logged."""
        steps = [line for line in self._lines() if 'Epoch(' in line]
        return f'{self.name}: ' + (
            steps[-1][steps[-1].index('Epoch(') :][:100] if steps else self.tool
        )

    def require_success(self) -> None:
        """Raise a mistake that says what the tool said, if it failed."""
        if not self.process.returncode:
            return
        said = self._lines()[-21:]
        begins = [i for i, line in enumerate(said) if line.startswith('error: ')]
        reason = '\n'.join(said[begins[-1] :] if begins else said[-1:]).removeprefix('error: ')
        raise UserError(f'{self.name}, {self.tool}: {reason}\n(its log is {self.log})')

    def _lines(self) -> list[str]:
        with self.log.open('rb') as log:
            log.seek(max(self.begins, self.log.stat().st_size - 20_000))
            text = log.read().decode(errors='replace')
        return [line.strip() for line in text.splitlines() if line.strip()]


class Children:
    """What runs, which Ctrl-C and SIGTERM are handed on to: it saves and leaves.

    Attributes:
        signals (list[int]): What came.
    """

    def __init__(self) -> None:
        self.signals: list[int] = []
        self._all: list[Child] = []

    def start(self, *arguments: Any) -> Child:
        """Start a :class:`Child`; what came meanwhile reaches it too."""
        child = Child(*arguments)
        self._all.append(child)
        for number in self.signals[:1]:
            child.process.send_signal(number)
        return child

    def stop(self) -> None:
        """Let all of them save and leave, because one has failed, and wait for it."""
        for child in self._all:
            if child.is_running() and not self.signals:
                child.process.terminate()
        for child in self._all:
            child.process.wait()

    def leave_if_stopped(self, name: str) -> None:
        """End this program as a signal asked for."""
        if self.signals:
            print(f'{name} stopped; the same command goes on from there', file=sys.stderr)
            sys.exit(128 + self.signals[0])

    def __enter__(self) -> Children:
        numbers = (signal.SIGINT, signal.SIGTERM)
        self._before = {number: signal.signal(number, self._pass_on) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _pass_on(self, number: int, _: object) -> None:
        self.signals.append(number)
        for child in self._all:
            if child.is_running():
                child.process.send_signal(number)


def run_tool(
    tool: str, arguments: list[str], folder: Path, name: str, lock: int | None = None
) -> None:
    """Run a tool of this folder to its end.

    Ctrl-C and SIGTERM are handed on to it, which saves and leaves, and end this program too.

    Args:
        tool (str): Its file, such as train.py.
        arguments (list[str]): Its command line.
        folder (Path): Where the log goes.
        name (str): What messages call the job.
        lock (int, optional): Of :func:`held`. Defaults to None.

    Raises:
        UserError: If it fails, with what it said.
    """
    with Children() as children, Console(stderr=True).status(f'{name}: {tool}') as status:
        child = children.start(tool, arguments, folder, name, lock)
        while child.is_running():
            status.update(child.progress())
            time.sleep(0.2)
    children.leave_if_stopped(name)
    child.require_success()
