"""Parallel map over processes that raises an error if a process dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
from torch.utils.data import DataLoader


def parallel_imap(function: Callable[[Any], Any], items: Sequence[Any], jobs: int) -> Iterator[Any]:
    """Map a function over items with several processes, which prefetch two items each.

    Uses torch's DataLoader, because a pool of the standard library hangs forever if a process is
    killed while it sends a result.

    Args:
        function (Callable): A picklable function with picklable results. Its exceptions reach the
            caller with their type and message.
        items (Sequence): Its arguments.
        jobs (int): Number of processes, at most one per item; 1 runs in the caller's process.

    Returns:
        Iterator: Results in the order of the items. If a process is killed, torch raises a
        ``RuntimeError`` in the main thread.
    """
    processes = min(jobs, len(items))
    with _worker_start_state(), warnings.catch_warnings():
        # The caller chose the number of processes.
        warnings.filterwarnings('ignore', 'This DataLoader will create')
        loader: DataLoader[Any] = DataLoader(
            items,  # type: ignore[arg-type]  # any sequence will do
            batch_size=None,
            num_workers=processes if processes > 1 else 0,
            collate_fn=function,  # called for each item, in the workers
            worker_init_fn=_start_worker,
        )
        return iter(loader)


@contextmanager
def _worker_start_state() -> Iterator[None]:
    """Set the state that forked processes inherit: SIGINT blocked, one OpenCV thread.

    The caller handles Ctrl-C. OpenCV's threads are stopped before the fork, because a forked
    process deadlocks if it changes their number.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        cv2.setNumThreads(threads)


def _start_worker(worker_id: int) -> None:
    cv2.setNumThreads(1)
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # bypass the caller's progress bar
    threading.Thread(target=_exit_with_caller, daemon=True).start()


def _exit_with_caller() -> None:
    # torch's own watchdog misses a process that is blocked while sending a result.
    multiprocessing.parent_process().join()  # type: ignore[union-attr]
    os._exit(1)
