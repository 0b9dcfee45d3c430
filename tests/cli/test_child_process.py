"""Signals reach the program that a command runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from echocardmae_mm.cli.child_process import interruptible

PROGRAM = """
import sys, time
try:
    print('started', flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    sys.exit(7)
"""


@pytest.fixture(params=[signal.default_int_handler, signal.SIG_IGN], ids=['terminal', 'background'])
def caller(request):
    """The caller's reaction to SIGINT; a shell's jobs in the background ignore it."""
    before = signal.signal(signal.SIGINT, request.param)
    yield
    signal.signal(signal.SIGINT, before)


def test_sigterm_interrupts_the_program(caller):
    words = [sys.executable, '-c', PROGRAM]
    with interruptible(words, stdout=subprocess.PIPE, text=True) as (process, received):
        assert process.stdout.readline() == 'started\n'
        os.kill(os.getpid(), signal.SIGTERM)
        assert process.wait(10) == 7
    assert received == [signal.SIGTERM]
