"""Calls spread over processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

# Functions have to stand in a file that other processes can import.
PROGRAM = """
import json, os, sys, time
import cv2
import numpy as np
from echocardmae_mm.errors import RecordingError
from echocardmae_mm.processes import ordered_map


def in_order(index):
    time.sleep(0.5 * (index == 0))
    return index, os.getpid()


def refused(index):
    if index == 2:
        raise RecordingError('3.avi', 'its header is cut off')
    return index


def more_than_a_pipe_holds(index):
    print(os.getpid(), flush=True)
    return bytes(10_000_000)


if __name__ == '__main__':
    name, items, jobs = sys.argv[1], range(int(sys.argv[2])), int(sys.argv[3])
    cv2.resize(np.zeros((2000, 2000), np.uint8), (999, 999))  # OpenCV begins its threads.
    got = []
    try:
        for result in ordered_map(globals()[name], items, jobs):
            if name != 'more_than_a_pipe_holds':
                got.append(result)
    except RecordingError as error:
        got.append([error.filename, error.reason])
    print(json.dumps([got, os.getpid()]))
"""


@pytest.fixture
def start(tmp_path):
    path = tmp_path / 'program.py'
    path.write_text(PROGRAM)

    def start(name: str, items: int, jobs: int) -> subprocess.Popen:
        command = [sys.executable, str(path), name, str(items), str(jobs)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


def answer(process: subprocess.Popen) -> tuple[list, int]:
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return json.loads(output)


@pytest.mark.parametrize('jobs', [1, 2])
def test_results_are_in_order(start, jobs):
    results, caller = answer(start('in_order', 20, jobs))
    assert [index for index, _ in results] == list(range(20))
    processes = {process for _, process in results}
    assert len(processes) == jobs
    assert (caller in processes) == (jobs == 1)


@pytest.mark.parametrize('jobs', [1, 2])
def test_an_error_is_raised_as_it_was_after_what_came_before_it(start, jobs):
    results, _ = answer(start('refused', 5, jobs))
    assert results == [0, 1, ['3.avi', 'its header is cut off']]


@pytest.mark.parametrize('items', [0, 1])
def test_no_process_is_started_for_nothing(start, items):
    results, caller = answer(start('in_order', items, 2))
    assert results == [[0, caller]] * items


def test_one_killed_while_it_answers_ends_the_wait(start):
    process = start('more_than_a_pipe_holds', 1000, 2)
    worker = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(1)  # Both fill the pipe and wait in the middle of an answer.
    os.kill(worker, signal.SIGKILL)
    os.kill(process.pid, signal.SIGCONT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert f'RuntimeError: DataLoader worker (pid {worker}) is killed by signal' in errors
