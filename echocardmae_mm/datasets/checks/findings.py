"""What the check of a data set brings to light."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Problem(NamedTuple):
    """Something wrong with one recording; training goes on without it.

    Args:
        where (str): The file, or its name in a list.
        reason (str): What is wrong.
    """

    where: str
    reason: str


@dataclass
class Findings:
    """Findings about one data set.

    Args:
        name (str): The data set.
        root (Path): Its folder.
        recordings (dict[str, int | None]): Files to open, each with the number of frames that the
            data set states, None if it states none.
        validation (set[str]): Those of them that a list puts into the validation set.
        notes (list[str]): Counts and facts, in the order in which they are told.
        problems (list[Problem]): What is wrong with single recordings.
        obstacles (list[str]): Why training cannot start.
    """

    name: str
    root: Path
    recordings: dict[str, int | None] = field(default_factory=dict)
    validation: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)

    def compare(self, what: str, count: int, published: int) -> None:
        """Note a count beside the published one.

        Args:
            what (str): What is counted.
            count (int): Number found.
            published (int): Number in the published data set.
        """
        beside = '' if count == published else f'; the published set has {published:,}'
        self.notes.append(f'{count:,} {what}{beside}')

    def add(self, where: object, reason: str) -> None:
        """Note a problem.

        Args:
            where (object): The file, or its name in a list.
            reason (str): What is wrong.
        """
        self.problems.append(Problem(str(where), reason))
