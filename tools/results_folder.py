"""Results of one question are not written over those of another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mistakes import UserError

_ADVICE = 'Choose another --out, or replace them by --force'


def refuse_other_results(
    path: Path, asked: dict[str, str], origin_of: Callable[[Any], dict[str, str]], force: bool
) -> None:
    """Refuse a folder whose results came from something else; the same are made anew.

    Args:
        path (Path): The JSON file that says what the results came from, if there are any.
        asked (dict[str, str]): What the new ones will come from, by name.
        origin_of (Callable): The same of what the file holds.
        force (bool): Whether it was asked that they be replaced.

    Raises:
        UserError: If they differ, or the file is not ours.
    """
    if force or not path.is_file():
        return
    try:
        kept = origin_of(json.loads(path.read_text()))
    except (ValueError, KeyError, TypeError):
        raise UserError(f'{path} is damaged, or not of this tool\n{_ADVICE}') from None
    if kept != asked:
        those = ', '.join(f'{name} {value}' for name, value in kept.items())
        raise UserError(f'{path.parent} holds results of {those}\n{_ADVICE}')
