"""Find the commit of the checkout that the package runs from."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git_commit() -> str | None:
    """Commit of the checkout that the package runs from, with ``-dirty`` if files have changed.

    None if the package was not installed from a checkout.
    """
    tracked = _git('ls-files', '__init__.py')
    commit = _git('describe', '--always', '--dirty', '--abbrev=40', '--exclude=*')
    return (tracked and commit) or None


def _git(*arguments: str) -> str:
    command, package = ['git', *arguments], Path(__file__).parents[1]
    try:
        run = subprocess.run(command, cwd=package, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ''
    return run.stdout.strip()
