"""tools/pack_videos.py as people run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from echocardmae_mm.datasets.recordings import PackedStore

TOOL = Path(__file__).parents[2] / 'tools' / 'pack_videos.py'


def run(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, TOOL, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def test_a_data_set_is_packed_on_two_processes(echonet_root, tmp_path):
    done = run(echonet_root, '--out', tmp_path / 'store', '--jobs', '2')
    assert done.returncode == 0, done.stderr
    assert f'{tmp_path / "store"}: 8 recordings, 0.0 GB' in done.stdout
    assert len(PackedStore(tmp_path / 'store').recordings) == 8
    again = run(echonet_root, '--out', tmp_path / 'store')
    assert again.returncode == 1
    assert 'holds a finished store' in again.stderr


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('nowhere', '--out', 'x'), 'no such folder'),
        (('.', '--out', 'x', '--jobs', '0'), '--jobs 0'),
    ],
)
def test_a_mistake_costs_two_lines_at_most(arguments, message):
    done = run(*arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2
