"""Calls spread over processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from echocardmae_mm.errors import RecordingError
from echocardmae_mm.processes import ordered_map

# Processes hand back more than a pipe holds, and each says who it is.
KILLED = """
import os, sys
from echocardmae_mm.processes import ordered_map

def megabytes(index):
    print(os.getpid(), flush=True)
    return bytes(10_000_000)

for answer in ordered_map(megabytes, range(1000), 2):
    pass
"""


def slow_at_first(index: int) -> tuple[int, int]:
    time.sleep(0.2 * (index == 0))
    return index, os.getpid()


def refuse_the_third(index: int) -> int:
    if index == 2:
        raise RecordingError('3.avi', 'its header is cut off')
    return index


@pytest.mark.parametrize('jobs', [1, 3])
def test_results_are_in_order(jobs):
    results = list(ordered_map(slow_at_first, range(20), jobs))
    assert [index for index, _ in results] == list(range(20))
    processes = {process for _, process in results}
    assert len(processes) == jobs
    assert (os.getpid() in processes) == (jobs == 1)


@pytest.mark.parametrize('jobs', [1, 2])
def test_an_error_is_raised_as_it_was_after_what_came_before_it(jobs):
    results = ordered_map(refuse_the_third, range(5), jobs)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(RecordingError) as raised:
        next(results)
    assert (raised.value.filename, raised.value.reason) == ('3.avi', 'its header is cut off')


@pytest.mark.parametrize('jobs', [1, 2])
def test_of_nothing_comes_nothing(jobs):
    assert list(ordered_map(slow_at_first, [], jobs)) == []


def test_one_killed_while_it_answers_ends_the_wait():
    process = subprocess.Popen(
        [sys.executable, '-c', KILLED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    worker = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(1)  # Both fill the pipe and wait in the middle of an answer.
    os.kill(worker, signal.SIGKILL)
    os.kill(process.pid, signal.SIGCONT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f'RuntimeError: DataLoader worker (pid {worker}) is killed by signal' in errors
