"""Calls spread over processes, whose death is noticed, and which notice their caller's."""

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
from torch.utils.data import DataLoader, Dataset


def parallel_imap(function: Callable[[Any], Any], items: Sequence[Any], jobs: int) -> Iterator[Any]:
    """Call a function for each item, on several processes, which are started at once.

    They run ahead of their reader by two items each. A pool of the standard library waits for ever
    for the rest of an answer whose process was killed while it sent it; torch's loader does not.

    Args:
        function (Callable): Can be pickled, and so can what it returns. Of what it raises, the
            type and the message reach the caller.
        items (Sequence): Its arguments.
        jobs (int): Number of processes, at most one for each item; one is the caller's own.

    Returns:
        Iterator: What it returned, in the items' order. If a process is killed, torch raises a
        ``RuntimeError`` wherever the main thread is.
    """
    processes = min(jobs, len(items))
    with _ready_to_be_shared(), warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'This DataLoader will create')  # Jobs were asked for.
        loader = DataLoader(
            _Calls(function, items),
            batch_size=None,
            num_workers=processes if processes > 1 else 0,
            collate_fn=_as_it_is,
            worker_init_fn=_begin,
        )
        return iter(loader)


class _Calls(Dataset):
    """The results by index."""

    def __init__(self, function: Callable[[Any], Any], items: Sequence[Any]) -> None:
        self.function = function
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        return self.function(self.items[index])


def _as_it_is(result: Any) -> Any:
    return result


@contextmanager
def _ready_to_be_shared() -> Iterator[None]:
    """The state that processes take over: no Ctrl-C, which is for their caller, no OpenCV threads.

    A forked process that sets the number of OpenCV's threads waits for those it does not have.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        cv2.setNumThreads(threads)


def _begin(worker_id: int) -> None:
    cv2.setNumThreads(1)
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # Without the caller's progress bar.
    threading.Thread(target=_leave_with_the_caller, daemon=True).start()


def _leave_with_the_caller() -> None:
    # torch's own watch does not end a process that waits for its answer to be read.
    multiprocessing.parent_process().join()  # type: ignore[union-attr]
    os._exit(1)
