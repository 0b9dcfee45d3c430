"""Loading processes and the signals that a terminal or a scheduler sends to everybody."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOADING = """
import multiprocessing, os, signal, sys
from torch.utils.data import DataLoader
from echocardmae_mm.engine import let_workers_outlive_signals

loader = DataLoader(range(100), num_workers=2, persistent_workers=True)
let_workers_outlive_signals(loader)
batches = iter(loader)
next(batches), next(batches)  # one of each worker
workers = multiprocessing.active_children()
if sys.argv[1] == 'stranger':
    for worker in workers:
        for number in (signal.SIGINT, signal.SIGTERM):
            os.system(f'kill -{int(number)} {worker.pid}')
    assert sum(1 for _ in batches) == 98
    assert all(worker.is_alive() for worker in workers)
else:
    for worker in workers:
        worker.terminate()
        worker.join(10)
        assert worker.exitcode == 0
print('done')
"""


@pytest.mark.parametrize('sender', ['stranger', 'main process'])
def test_only_the_main_process_ends_a_loading_process(sender):
    result = subprocess.run(
        [sys.executable, '-c', LOADING, sender], capture_output=True, text=True, timeout=60
    )
    if sender == 'stranger':
        assert result.returncode == 0, result.stderr
    assert 'done' in result.stdout
