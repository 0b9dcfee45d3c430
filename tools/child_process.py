"""Jobs that are other tools of this folder, in processes of their own."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def run_tool(tool: str, arguments: list[str], folder: Path, name: str) -> None:
    """Run a tool of this folder, its output kept in ``<folder>/<tool>.log``.

    Ctrl-C and SIGTERM are handed on to it, which saves and leaves, and end this program too.

    Args:
        tool (str): Its file, such as train.py.
        arguments (list[str]): Its command line.
        folder (Path): Where the log goes.
        name (str): What messages call the job.

    Raises:
        Mistake: If it fails, with what it said.
    """
    log = folder / f'{Path(tool).stem}.log'
    command = [sys.executable, str(TOOLS / tool), *arguments]
    # A group of its own: a signal comes once, from here.
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    with passed_on_to(process) as signals, log.open('a') as file:
        with Console(stderr=True).status(f'{name}: {tool}') as status:
            for line in process.stdout:
                file.write(line)
                lines = [*lines[-20:], line.strip()]
                if 'Epoch(' in line:
                    status.update(f'{name}: {line[line.index("Epoch(") :].strip()[:100]}')
        code = process.wait()
    if signals:
        print(f'{name} stopped; the same command goes on from there', file=sys.stderr)
        sys.exit(128 + signals[0])
    if code:
        said = [line for line in lines if line]
        begins = [i for i, line in enumerate(said) if line.startswith('error: ')]
        reason = '\n'.join(said[begins[-1] :] if begins else said[-1:]).removeprefix('error: ')
        raise Mistake(f'{name}, {tool}: {reason}\n(its log is {log})')


@contextmanager
def passed_on_to(process: subprocess.Popen) -> Iterator[list[int]]:
    """Hand Ctrl-C and SIGTERM on to a process, which saves and leaves; gives what came."""
    came: list[int] = []

    def pass_on(number: int, _: object) -> None:
        came.append(number)
        process.send_signal(number)

    before = {n: signal.signal(n, pass_on) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
