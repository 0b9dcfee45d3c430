"""Compute the next results in threads while the caller uses the current one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

Item = TypeVar('Item')
Result = TypeVar('Result')


def compute_ahead(
    function: Callable[[Item], Result], items: Sequence[Item], ahead: int
) -> Iterator[Callable[[], Result]]:
    """Call a function for each item, some items before the caller asks for them.

    Args:
        function (Callable): A function that threads can run.
        items (Sequence): Its arguments.
        ahead (int): Number of items, and of threads; 0 calls it only when asked, in the caller's
            thread.

    Yields:
        Callable: Returns the result, or raises what the function raised, in the order of the items.

    Example:
        >>> [get() for get in compute_ahead(abs, [-1, 2, -3], ahead=2)]
        [1, 2, 3]
    """
    if ahead == 0:
        yield from (partial(function, item) for item in items)
        return
    pool = ThreadPoolExecutor(ahead)
    try:
        waiting = deque(pool.submit(function, item) for item in items[: ahead + 1])
        for item in items[ahead + 1 :]:
            yield waiting.popleft().result
            waiting.append(pool.submit(function, item))
        while waiting:
            yield waiting.popleft().result
    finally:
        pool.shutdown(cancel_futures=True)
