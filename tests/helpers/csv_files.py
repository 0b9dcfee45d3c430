"""Lists of a data set, changed as its owners or a user may have done."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

Row = dict[str, str]


def edit_rows(path: Path, change: Callable[[list[Row]], Iterable[Row]]) -> None:
    """Replace the rows of a CSV file by those that ``change`` makes of them."""
    with path.open(newline='') as file:
        rows = list(csv.DictReader(file))
    header = list(rows[0])
    with path.open('w', newline='') as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(change(rows))
