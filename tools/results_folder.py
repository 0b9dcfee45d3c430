"""Results of one question are not written over those of another."""

from __future__ import annotations

from pathlib import Path

from launch import Mistake


def refuse_other_results(folder: Path, kept: dict[str, str], asked: dict[str, str]) -> None:
    """Refuse a folder whose results came from something else; the same are made anew.

    Args:
        folder (Path): The folder.
        kept (dict[str, str]): What its results came from, by name.
        asked (dict[str, str]): What the new ones will come from.

    Raises:
        Mistake: If they differ.
    """
    for name in [*asked, *kept]:
        if kept.get(name) != asked.get(name):
            raise Mistake(
                f'{folder} holds the results of {name} {kept.get(name)}\n'
                'Choose another --out: nothing is overwritten'
            )
