"""Commands as people call them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

Command = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope='session')
def command() -> Command:
    """``command('pack', *arguments, **settings)`` runs ``python -m echocardmae_mm pack ...``."""

    def run(name: str, *arguments: object, **settings: Any) -> subprocess.CompletedProcess:
        words = [sys.executable, '-m', 'echocardmae_mm', name, *map(str, arguments)]
        return subprocess.run(
            words, **{'capture_output': True, 'text': True, 'timeout': 300, **settings}
        )

    return run
