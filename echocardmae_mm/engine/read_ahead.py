"""Batches read in a thread while the model works on the one before."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

_END = object()


def read_ahead(batches: Iterator[Any], depth: int = 2) -> Iterator[Any]:
    """Go through an iterator that a thread runs ahead of.

    For readers that let go of Python's lock while they read, and draw from no global generator.

    Args:
        batches (Iterator): What to go through; only the thread asks it from now on.
        depth (int): How many batches may wait. Defaults to 2.

    Yields:
        Any: The batches, in order. An error of the iterator is raised in its place.
    """
    waiting: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(depth)
    left = threading.Event()

    def put(batch: Any, error: BaseException | None = None) -> None:
        while not left.is_set():
            try:
                waiting.put((batch, error), timeout=0.1)
                return
            except queue.Full:
                continue

    def run() -> None:
        try:
            for batch in batches:
                put(batch)
                if left.is_set():
                    return
            put(_END)
        except BaseException as error:
            put(None, error)

    thread = threading.Thread(target=run, name='read ahead', daemon=True)
    thread.start()
    try:
        while True:
            batch, error = waiting.get()
            if error is not None:
                raise error
            if batch is _END:
                return
            yield batch
            del batch
    finally:
        left.set()
        thread.join()
