"""The examples of the docstrings run and give what they print."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import echocardmae_mm

PACKAGE = Path(echocardmae_mm.__file__).parent
MODULES = [
    '.'.join(path.relative_to(PACKAGE.parent).with_suffix('').parts)
    for path in sorted(PACKAGE.rglob('*.py'))
    if '>>> ' in path.read_text()
]


@pytest.mark.parametrize('name', MODULES)
def test_examples(name):
    result = doctest.testmod(import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0
