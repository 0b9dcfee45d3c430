"""Run commands of this package in child processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from echocardmae_mm.utils.errors import UserError


class Child:
    """A running command whose output goes to ``<folder>/<command>.log``.

    Args:
        command (str): Name of the command, such as train.
        arguments (list[str]): Its command line.
        folder (Path): Folder of the log.
        name (str): Name of the job in messages.
        lock (int, optional): Descriptor from :func:`folder_lock`. Defaults to None.
        environment (Mapping[str, str], optional): Environment variables. Defaults to None, those of
            this process.
    """

    def __init__(
        self,
        command: str,
        arguments: list[str],
        folder: Path,
        name: str,
        lock: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.command = command
        self.name = name
        self.log = folder / f'{command.replace("-", "_")}.log'
        with self.log.open('ab') as log:
            self._start_of_log = log.tell()
            # A session of its own, so that each signal reaches it once, from Children.
            self.process = subprocess.Popen(
                [sys.executable, '-m', 'echocardmae_mm', command, *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=() if lock is None else (lock,),
                env=environment,
            )

    def is_running(self) -> bool:
        return self.process.poll() is None

    def progress(self) -> str:
        """The last step that the command has logged."""
        steps = [line for line in self._lines() if 'Epoch(' in line]
        if not steps:
            return f'{self.name}: {self.command}'
        return f'{self.name}: {steps[-1][steps[-1].index("Epoch(") :][:100]}'

    def require_success(self) -> None:
        """Raise the command's own error message if it failed."""
        if not self.process.returncode:
            return
        lines = self._lines()[-21:]
        errors = [i for i, line in enumerate(lines) if line.startswith('error: ')]
        reason = '\n'.join(lines[errors[-1] :] if errors else lines[-1:]).removeprefix('error: ')
        raise UserError(f'{self.name}, {self.command}: {reason}\n(log: {self.log})')

    def _lines(self) -> list[str]:
        with self.log.open('rb') as log:
            log.seek(max(self._start_of_log, self.log.stat().st_size - 20_000))
            text = log.read().decode(errors='replace')
        return [line.strip() for line in text.splitlines() if line.strip()]


class Children:
    """Running children, to which Ctrl-C and SIGTERM are forwarded so that they save and exit.

    Attributes:
        signals (list[int]): The signals received so far.
    """

    def __init__(self) -> None:
        self.signals: list[int] = []
        self._all: list[Child] = []

    def start(self, *arguments: Any) -> Child:
        """Start a :class:`Child`; it also receives the first signal that arrived earlier."""
        child = Child(*arguments)
        self._all.append(child)
        for number in self.signals[:1]:
            child.process.send_signal(number)
        return child

    def stop(self) -> None:
        """Terminate all children after one has failed, and wait until they have saved."""
        for child in self._all:
            if child.is_running() and not self.signals:
                child.process.terminate()
        for child in self._all:
            child.process.wait()

    def exit_if_signalled(self, name: str) -> None:
        """Exit with the status of the first signal, if there was one."""
        if self.signals:
            print(f'{name} stopped; repeat the command to continue', file=sys.stderr)
            sys.exit(128 + self.signals[0])

    def __enter__(self) -> Children:
        numbers = (signal.SIGINT, signal.SIGTERM)
        self._before = {number: signal.signal(number, self._forward) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _forward(self, number: int, _: object) -> None:
        self.signals.append(number)
        for child in self._all:
            if child.is_running():
                child.process.send_signal(number)


def run_command(
    command: str, arguments: list[str], folder: Path, name: str, lock: int | None = None
) -> None:
    """Run a command of this package to its end; the arguments are those of :class:`Child`.

    Ctrl-C and SIGTERM are forwarded to it and then end this program too.

    Raises:
        UserError: If it fails, with its error message.
    """
    with Children() as children, Console(stderr=True).status(f'{name}: {command}') as status:
        child = children.start(command, arguments, folder, name, lock)
        while child.is_running():
            status.update(child.progress())
            time.sleep(0.2)
    children.exit_if_signalled(name)
    child.require_success()
