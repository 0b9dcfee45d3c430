"""Results of checking a data set."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from echocardmae_mm.datasets.recording_dataset import RecordingDataset
from echocardmae_mm.datasets.recordings import PackedStore
from echocardmae_mm.utils.errors import UserError


class Problem(NamedTuple):
    """A fault of one recording, which training skips.

    Args:
        where (str): The file, or its name in a list.
        reason (str): The fault.
    """

    where: str
    reason: str


@dataclass
class Findings:
    """Findings about one data set.

    Args:
        name (str): The data set.
        root (Path): Its folder.
        recordings (dict[str, int | None]): Files to open, with the number of frames that the lists
            of the data set state, or None.
        notes (list[str]): Counts and facts, in the order of printing.
        problems (list[Problem]): Faults of individual recordings.
        store (PackedStore, optional): The store that holds the recordings. Defaults to None, files.
        label_classes (dict[str, int]): Files that are label images, with their number of classes.
        obstacles (list[str]): Reasons why training cannot start.
    """

    name: str
    root: Path
    recordings: dict[str, int | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    label_classes: dict[str, int] = field(default_factory=dict)
    store: PackedStore | None = None
    obstacles: list[str] = field(default_factory=list)

    def compare(self, noun: str, count: int, published: int) -> None:
        """Record a count, and the count in the published data set if it differs."""
        difference = '' if count == published else f'; the published set has {published:,}'
        self.notes.append(f'{count:,} {noun}{difference}')

    def add(self, where: object, reason: str) -> None:
        """Record a fault of one recording."""
        self.problems.append(Problem(str(where), reason))

    def require_index(self, task: str, dataset: RecordingDataset) -> None:
        """Record an obstacle if a data set of a task refuses its own index."""
        try:
            dataset.load_data_list()
        except UserError as error:
            self.obstacles.append(f'{task}: {error}')
