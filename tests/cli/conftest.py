"""Processes that several tests of commands share."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from echocardmae_mm.cli.run_folder import training_lock


@pytest.fixture
def training_elsewhere() -> Iterator[Callable[[Path], multiprocessing.Process]]:
    """``training_elsewhere(folder)`` is another process that trains in a folder, with a worker."""
    context = multiprocessing.get_context('fork')
    received, sent = context.Pipe(duplex=False)
    workers = []

    def train(folder: Path) -> None:
        with training_lock(folder):
            if worker := os.fork():
                sent.send(worker)
            signal.pause()  # the worker outlives a killed training

    def start(folder: Path) -> multiprocessing.Process:
        process = context.Process(target=train, args=(folder,), daemon=True)
        process.start()
        workers.append(received.recv())
        return process

    yield start
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
