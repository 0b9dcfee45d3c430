"""Numbers on the command line that cannot be just any."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable


def at_least(least: int) -> Callable[[str], int]:
    """A type for argparse: whole numbers from ``least`` on."""

    def number(text: str) -> int:
        if not text.removeprefix('-').isdecimal():
            raise ArgumentTypeError(f'expected a whole number, not {text!r}')
        if int(text) < least:
            raise ArgumentTypeError(f'must be at least {least}, not {text}')
        return int(text)

    return number


def seed(text: str) -> int:
    """A type for argparse: what numpy's and torch's generators both take, 0 to 2**32 - 1."""
    number = at_least(0)(text)
    if number >= 2**32:
        raise ArgumentTypeError(f'must be below 2**32, not {text}')
    return number
