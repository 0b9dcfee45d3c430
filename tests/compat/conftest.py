"""A fresh interpreter for what can be seen only before or without the package."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fresh_python(tmp_path):
    """Runs code in a new interpreter; ``.stdout``, ``.stderr`` and ``.returncode`` come back."""

    def run(code, *path, **environment):
        paths = [str(folder) for folder in (*path, ROOT)]
        return subprocess.run(
            [sys.executable, '-c', code],
            cwd=tmp_path,
            env={**os.environ, 'PYTHONPATH': os.pathsep.join(paths), **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run
