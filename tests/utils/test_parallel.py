"""Calls spread over processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# Functions have to stand in a file that other processes can import.
PROGRAM = """
import io, json, os, sys, time
import cv2
import numpy as np
from echocardmae_mm.utils.errors import RecordingError
from echocardmae_mm.utils.parallel import parallel_imap


def in_order(index):
    time.sleep(0.5 * (index == 0))
    return index, os.getpid()


def refused(index):
    if index == 2:
        raise RecordingError('3.avi', 'its header is cut off')
    return index


def broken(index):
    return {}['key']


def talk(index):
    print('I work', flush=True)
    return index


def more_than_a_pipe_holds(index):
    print(os.getpid(), flush=True)
    return bytes(10_000_000)


if __name__ == '__main__':
    name, items, jobs = sys.argv[1], range(int(sys.argv[2])), int(sys.argv[3])
    cv2.resize(np.zeros((2000, 2000), np.uint8), (999, 999))  # OpenCV begins its threads.
    if name == 'talk':
        sys.stdout = io.StringIO()  # As a progress bar's.
    got = []
    try:
        for result in parallel_imap(globals()[name], items, jobs):
            if name != 'more_than_a_pipe_holds':
                got.append(result)
    except RecordingError as error:
        got.append(str(error))
    print(json.dumps([got, os.getpid()]), file=sys.__stdout__)
"""


@pytest.fixture
def start(tmp_path):
    path = tmp_path / 'program.py'
    path.write_text(PROGRAM)

    def start(name: str, items: int, jobs: int) -> subprocess.Popen:
        command = [sys.executable, str(path), name, str(items), str(jobs)]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heed_the_keyboard,
        )

    return start


def heed_the_keyboard() -> None:
    """As in a terminal: shells let their background jobs ignore the keyboard."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def answer(process: subprocess.Popen) -> tuple[list, int]:
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return json.loads(output)


def children(process: subprocess.Popen) -> list[int]:
    found = Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text()
    return [int(child) for child in found.split()]


def lives(process: int) -> bool:
    try:
        return Path(f'/proc/{process}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize('jobs', [1, 2])
def test_results_are_in_order(start, jobs):
    results, caller = answer(start('in_order', 20, jobs))
    assert [index for index, _ in results] == list(range(20))
    processes = {process for _, process in results}
    assert len(processes) == jobs
    assert (caller in processes) == (jobs == 1)


@pytest.mark.parametrize('jobs', [1, 2])
def test_an_error_keeps_its_type_and_message_and_comes_after_what_came_before_it(start, jobs):
    results, _ = answer(start('refused', 5, jobs))
    assert results == [0, 1, '3.avi: its header is cut off']


@pytest.mark.parametrize('items', [0, 1])
def test_no_process_is_started_for_nothing(start, items):
    results, caller = answer(start('in_order', items, 2))
    assert results == [[0, caller]] * items


def test_a_fault_keeps_its_traceback(start):
    process = start('broken', 5, 2)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "return {}['key']" in errors


def test_processes_do_not_write_through_their_callers_progress_bar(start):
    output, _ = start('talk', 5, 2).communicate(timeout=120)
    assert output.count('I work') == 5


def test_those_killed_while_they_answer_end_the_wait(start):
    process = start('more_than_a_pipe_holds', 1000, 2)
    process.stdout.readline()
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(1)  # One fills the pipe and waits in the middle of an answer.
    for worker in children(process):
        os.kill(worker, signal.SIGKILL)
    os.kill(process.pid, signal.SIGCONT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert 'RuntimeError: DataLoader worker (pid' in errors


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_none_outlives_its_caller(start, number):
    process = start('more_than_a_pipe_holds', 1000, 2)
    process.stdout.readline()
    workers = children(process)
    assert len(workers) == 2
    process.send_signal(number)
    process.wait(timeout=60)
    deadline = time.monotonic() + 60
    while any(lives(worker) for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_keyboard_stops_the_caller_alone(start):
    process = start('more_than_a_pipe_holds', 1000, 2)
    process.stdout.readline()
    for worker in children(process):
        os.kill(worker, signal.SIGINT)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert errors.count('Traceback') == 1
    assert errors.strip().endswith('KeyboardInterrupt')
