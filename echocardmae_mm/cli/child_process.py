"""Run programs in child processes that Ctrl-C and SIGTERM interrupt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from echocardmae_mm.utils.errors import UserError


@contextmanager
def interruptible(
    words: Sequence[str], **settings: Any
) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Run a program in a session of its own; Ctrl-C and SIGTERM interrupt all its processes.

    Takes the arguments of ``subprocess.Popen``, and yields the running program and the signals
    received so far.
    """
    received: list[int] = []
    process: subprocess.Popen[str] | None = None

    def interrupt(number: int, _: FrameType | None) -> None:
        received.append(number)
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)

    # Before the start, because a program never hears SIGINT if its parent ignored it, as the jobs
    # in the background of a shell do.
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        with subprocess.Popen(words, start_new_session=True, **settings) as process:
            if received:
                os.killpg(process.pid, signal.SIGINT)
            yield process, received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_command(command: str, arguments: Sequence[str], folder: Path, name: str, lock: int) -> None:
    """Run a command of this package to its end, and show the last step that it has logged.

    Ctrl-C and SIGTERM interrupt it, so that it saves, and then end this program too.

    Args:
        command (str): Name of the command, such as train.
        arguments (Sequence[str]): Its command line.
        folder (Path): Its output goes to ``<command>.log`` in this folder.
        name (str): Name of the job in messages.
        lock (int): Descriptor from :func:`folder_lock`, which the command inherits.
    """
    path = folder / f'{command}.log'
    words = [sys.executable, '-m', 'echocardmae_mm', command, *arguments]
    start = path.stat().st_size if path.exists() else 0
    with (
        path.open('ab') as log,
        Console(stderr=True).status(f'{name}: {command}') as status,
        interruptible(words, stdout=log, stderr=subprocess.STDOUT, pass_fds=(lock,)) as (
            process,
            received,
        ),
    ):
        while process.poll() is None:
            steps = [line for line in _last_lines(path, start) if 'Epoch(' in line]
            done = steps[-1][steps[-1].index('Epoch(') :][:100] if steps else command
            status.update(f'{name}: {done}')
            time.sleep(0.2)
    if received:
        print(f'{name} stopped; repeat the command to continue', file=sys.stderr)
        sys.exit(128 + received[0])
    if process.returncode:
        lines = _last_lines(path, start)[-21:]
        errors = [i for i, line in enumerate(lines) if line.startswith('error: ')]
        reason = '\n'.join(lines[errors[-1] :] if errors else lines[-1:]).removeprefix('error: ')
        raise UserError(f'{name}, {command}: {reason}\n(log: {path})')


def _last_lines(path: Path, start: int) -> list[str]:
    with path.open('rb') as log:
        log.seek(max(start, path.stat().st_size - 20_000))
        text = log.read().decode(errors='replace')
    return [line.strip() for line in text.splitlines() if line.strip()]
