"""Signals to a process that is busy within one iteration; test_resume.py has the rest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

BUSY = """
import signal, sys, time
from types import SimpleNamespace
from echocardmae_mm.engine import GracefulStopHook

hook = GracefulStopHook()
before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
hook.before_train(SimpleNamespace(train_loop=None, val_loop=None))
print('busy', flush=True)
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    time.sleep(0.05)
hook.leave_train(None)
assert before == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
"""


@pytest.fixture
def busy():
    processes = []

    def start(seconds):
        command = [sys.executable, '-c', BUSY, str(seconds)]
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
    process = busy(60)
    os.kill(process.pid, number)
    time.sleep(0.2)
    os.kill(process.pid, number)  # the same one, forwarded
    time.sleep(1.2)
    assert process.poll() is None
    os.kill(process.pid, number)
    assert process.wait(10) == -number
    assert process.stderr.read().count(b'once more leaves at once') == 1


def test_gives_the_signals_back(busy):
    assert busy(0.2).wait(10) == 0
