"""Calls spread over processes, none of which can vanish unnoticed."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
from torch.utils.data import DataLoader, Dataset


def ordered_map(function: Callable[[Any], Any], items: Sequence[Any], jobs: int) -> Iterator[Any]:
    """Call a function for each item, on several processes.

    They run ahead of their reader by two items each. A pool of the standard library waits for ever
    for the rest of an answer whose process was killed while it sent it; torch's loader does not.

    Args:
        function (Callable): Can be pickled, and so can what it returns and raises.
        items (Sequence): Its arguments.
        jobs (int): Number of processes, at most one for each item; one is the caller's own.

    Yields:
        Any: What it returned, in the items' order.

    Raises:
        RuntimeError: torch's, wherever the caller is meanwhile, if a process was killed.
        Exception: What the function raised.
    """
    processes = min(jobs, len(items))
    loader = DataLoader(
        _Calls(function, items),
        batch_size=None,
        num_workers=processes if processes > 1 else 0,
        collate_fn=tuple,  # As it is: torch would make tensors of arrays.
        worker_init_fn=_begin,
    )
    with _no_threads_of_opencv():
        results = iter(loader)
    for result, error in results:
        if error is not None:
            raise error
        yield result


@contextmanager
def _no_threads_of_opencv() -> Iterator[None]:
    """A forked process that finds OpenCV's threads gone waits for them for ever."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


class _Calls(Dataset):
    """The results by index, and errors as they were raised."""

    def __init__(self, function: Callable[[Any], Any], items: Sequence[Any]) -> None:
        self.function = function
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[Any, Exception | None]:
        try:
            return self.function(self.items[index]), None
        except Exception as error:
            return None, error


def _begin(worker_id: int) -> None:
    """The processes share the cores already, and leave Ctrl-C to the one that started them."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
