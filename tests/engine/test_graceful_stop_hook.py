"""Signals to a process in the middle of an iteration, and to workers; see also test_resume.py."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from echocardmae_mm.engine import GracefulStopHook

BUSY = """
import time
from types import SimpleNamespace
from echocardmae_mm.engine import GracefulStopHook

GracefulStopHook().before_train(SimpleNamespace(train_loop=None, val_loop=None))
print('busy', flush=True)
end = time.monotonic() + 60
while time.monotonic() < end:
    time.sleep(0.05)
"""
LOADING = """
import multiprocessing, os, signal, sys
from torch.utils.data import DataLoader
from echocardmae_mm.engine.graceful_stop_hook import shield_workers

loader = DataLoader(range(100), num_workers=2, persistent_workers=True)
shield_workers(loader)
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


@pytest.fixture
def busy():
    processes = []

    def start():
        command = [sys.executable, '-c', BUSY]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        processes.append(process)
        assert process.stdout.readline() == b'busy\n'
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once(busy, number):
    process = busy()
    os.kill(process.pid, number)
    time.sleep(0.2)
    os.kill(process.pid, number)  # the same one, forwarded
    time.sleep(1.2)
    assert process.poll() is None
    os.kill(process.pid, number)
    assert process.wait(10) == -number
    assert process.stderr.read().count(b'Interrupt again to quit immediately') == 1


def test_restores_the_signal_handlers():
    def handlers():
        return signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    hook, before = GracefulStopHook(), handlers()
    hook.before_train(SimpleNamespace(train_loop=None, val_loop=None))
    assert not set(before) & set(handlers())
    hook.leave_train(None)
    assert handlers() == before


@pytest.mark.parametrize('sender', ['stranger', 'main process'])
def test_only_the_main_process_ends_a_loading_process(sender):
    result = subprocess.run(
        [sys.executable, '-c', LOADING, sender], capture_output=True, text=True, timeout=60
    )
    if sender == 'stranger':
        assert result.returncode == 0, result.stderr
    assert 'done' in result.stdout
