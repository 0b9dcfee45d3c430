"""Tables that read well in a log, in a terminal and in a document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table with aligned columns; the first is set left, the others right.

    Args:
        header (Sequence[str]): Names of the columns.
        rows (Iterable[Sequence]): Cells, turned into text by ``str``.

    Returns:
        str: Its lines, without a newline at the end.
    """
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(header))]
    rule = ['-' * widths[0], *('-' * (width - 1) + ':' for width in widths[1:])]
    lines.insert(1, rule)
    return '\n'.join(
        '| '
        + ' | '.join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths))
        )
        + ' |'
        for line in lines
    )
