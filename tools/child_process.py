"""Jobs that are other tools of this folder, in processes of their own."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from launch import Mistake
from rich.console import Console

TOOLS = Path(__file__).parent


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep a second process from training into the same folder."""
    with (folder / '.lock').open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Mistake(f'{folder}: another process is at work in it') from None
        yield


class Child:
    """A tool of this folder at work, its output kept in ``<folder>/<tool>.log``.

    Args:
        tool (str): Its file, such as train.py.
        arguments (list[str]): Its command line.
        folder (Path): Where the log goes.
        name (str): What messages call the job.
        environment (Mapping[str, str], optional): In place of this process's.
    """

    def __init__(
        self,
        tool: str,
        arguments: list[str],
        folder: Path,
        name: str,
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
        raise Mistake(f'{self.name}, {self.tool}: {reason}\n(its log is {self.log})')

    def _lines(self) -> list[str]:
        with self.log.open('rb') as log:
            log.seek(max(self.begins, self.log.stat().st_size - 20_000))
            text = log.read().decode(errors='replace')
        return [line.strip() for line in text.splitlines() if line.strip()]


def run_tool(tool: str, arguments: list[str], folder: Path, name: str) -> None:
    """Run a tool of this folder to its end.

    Ctrl-C and SIGTERM are handed on to it, which saves and leaves, and end this program too.

    Args:
        tool (str): Its file, such as train.py.
        arguments (list[str]): Its command line.
        folder (Path): Where the log goes.
        name (str): What messages call the job.

    Raises:
        Mistake: If it fails, with what it said.
    """
    children: list[Child] = []
    with (
        passed_on_to(children) as signals,
        Console(stderr=True).status(f'{name}: {tool}') as status,
    ):
        children.append(Child(tool, arguments, folder, name))
        while children[0].is_running():
            status.update(children[0].progress())
            time.sleep(0.2)
    leave_if_stopped(signals, name)
    children[0].require_success()


def leave_if_stopped(signals: Sequence[int], name: str) -> None:
    """End this program as a signal asked for."""
    if signals:
        print(f'{name} stopped; the same command goes on from there', file=sys.stderr)
        sys.exit(128 + signals[0])


@contextmanager
def passed_on_to(children: Sequence[Child]) -> Iterator[list[int]]:
    """Hand Ctrl-C and SIGTERM on to what runs, which saves and leaves; gives what came."""
    came: list[int] = []

    def pass_on(number: int, _: Any) -> None:
        came.append(number)
        for child in children:
            if child.is_running():
                child.process.send_signal(number)

    before = {n: signal.signal(n, pass_on) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
