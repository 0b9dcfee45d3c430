"""Markdown tables that are also legible in a log and in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Format a Markdown table, with the first column left-aligned and the others right-aligned.

    Args:
        header (Sequence[str]): Names of the columns.
        rows (Iterable[Sequence]): Cells, converted by ``str``.

    Returns:
        str: The table, without a newline at the end.

    Example:
        >>> print(markdown_table(('metric', 'value'), [('MAE', 5.1), ('RMSE', 6.8)]))
        | metric | value |
        | ------ | ----: |
        | MAE    |   5.1 |
        | RMSE   |   6.8 |
    """
    lines = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(header))]
    lines.insert(1, ['-' * widths[0], *('-' * (width - 1) + ':' for width in widths[1:])])
    first, *others = widths
    return '\n'.join(
        f'| {" | ".join([label.ljust(first), *map(str.rjust, cells, others)])} |'
        for label, *cells in lines
    )
