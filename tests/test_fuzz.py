"""Mutated files are read or refused by a UserError, in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / 'tools' / 'ci'))
import fuzz

pytestmark = pytest.mark.xdist_group('fuzz')  # one server of processes


def failures(name: str, seed: int, mutations: int) -> list[str]:
    replay = f'tools/ci/fuzz.py {name!r} --seed {seed} --replay'
    return [
        f'{replay} {index}: {outcome.kind}, {outcome.detail}'
        for index, outcome in fuzz.outcomes(name, seed, range(mutations))
        if outcome.kind not in (fuzz.READ, fuzz.REFUSED)
    ]


@pytest.mark.parametrize('name', fuzz.READERS)
def test_some_mutated_files_are_read_or_refused(name):
    assert failures(name, seed=0, mutations=100) == []


@pytest.mark.fuzz
@pytest.mark.parametrize('name', fuzz.READERS)
def test_ten_thousand_mutated_files_are_read_or_refused(name):
    assert failures(name, seed=1, mutations=10000) == []
