"""How commands end."""

import io
import os
import signal
import subprocess
import sys

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import load_checkpoint

from echocardmae_mm.cli.user_errors import report_user_errors

# A rank whose model and hooks hold process groups, in circles as mmengine's runner has them.
RANK = """
import os
import sys
import time

import torch

import echocardmae_mm.cli.configuration  # as every training does
from echocardmae_mm.cli.user_errors import report_user_errors


class Runner:
    def __init__(self):
        self.hook = self
        self.group = torch.distributed.new_group(backend='gloo')
        self.model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(1, 1))

    def train(self):
        self.model(torch.ones(1, 1)).sum().backward()
        if sys.argv[1:]:
            sys.exit(int(sys.argv[1]))


@report_user_errors
def main():
    torch.distributed.init_process_group('gloo')
    runner = Runner()
    runner.train()


before = len(os.listdir('/proc/self/task'))
try:
    main()
finally:
    for _ in range(100):  # A thread that was waited for may stand there for a moment.
        left = len(os.listdir('/proc/self/task')) - before
        if not left:
            break
        time.sleep(0.01)
    print(left)
"""


@pytest.fixture
def reported(monkeypatch):
    """The decorator of every command; restores the handler of SIGCHLD."""
    handler = signal.getsignal(signal.SIGCHLD)
    yield report_user_errors
    monkeypatch.undo()
    signal.signal(signal.SIGCHLD, handler)


def test_a_worker_lost_while_another_error_is_reported(reported, monkeypatch):
    """torch notices a dead process by a signal, whose handler raises wherever this one is."""
    arriving = [signal.SIGCHLD]
    set_handler = signal.signal

    def interrupted(number, handler):
        if arriving:
            raise RuntimeError(f'DataLoader worker (pid {arriving.pop()}) is killed by signal')
        return set_handler(number, handler)

    @reported
    def main():
        raise EOFError

    monkeypatch.setattr(signal, 'signal', interrupted)
    with pytest.raises(SystemExit, match='a worker process was killed'):
        main()


@pytest.mark.parametrize(
    'message',
    [
        # torch 2.15 with a full /dev/shm, while a worker sends a batch and in this process
        'Caught RuntimeError while a worker sent a batch.\nOriginal Traceback ...\nRuntimeError: '
        'unable to allocate shared memory(shm) for file </torch_1_2_3>: No space left on device',
        'unable to allocate shared memory(shm) for file </torch_1_2_3>: No space left on device',
        'DataLoader worker (pid 1) is killed by signal: Bus error. It is possible that ...',
    ],
)
def test_a_full_shared_memory_is_named(reported, message):
    @reported
    def main():
        raise RuntimeError(message)

    with pytest.raises(SystemExit, match=r'^error: /dev/shm is full; .*\n.*--shm-size=8g') as end:
        main()
    assert len(end.value.code.splitlines()) == 2


def test_a_place_that_cannot_be_written_costs_one_line(reported, tmp_path):
    (tmp_path / 'file').touch()

    @reported
    def main():
        (tmp_path / 'file' / 'results').mkdir()

    with pytest.raises(SystemExit, match=r'^error: .*/file/results: Not a directory$'):
        main()


def test_a_full_disk_costs_one_line(reported):
    @reported
    def main():
        with open('/dev/full', 'w') as full:
            full.write('results')

    with pytest.raises(SystemExit, match=r'^error: No space left on device$'):
        main()


def test_the_optimizer_of_another_model_is_refused(reported):
    @reported
    def main():
        one, other = (torch.optim.SGD([torch.zeros(1)] * n, 0.1) for n in (1, 2))
        one.load_state_dict(other.state_dict())

    with pytest.raises(SystemExit, match='belongs to another model or optimizer than the config'):
        main()


def test_a_value_that_a_component_refuses_is_reported_with_its_name(reported):
    @reported
    def main():
        HOOKS.build(dict(type='LoggerHook', interval='often'))

    with pytest.raises(SystemExit) as end:
        main()
    expected = 'error: LoggerHook: interval must be an integer\nCheck its settings in the config'
    assert end.value.code == expected


def test_an_error_in_a_component_of_ones_own_keeps_its_traceback(reported):
    class Mine(Hook):
        def __init__(self):
            raise TypeError('a fault')

    @reported
    def main():
        HOOKS.build(dict(type=Mine))

    with pytest.raises(TypeError, match='a fault'):
        main()


def test_a_config_that_lacks_a_part_costs_one_line(reported):
    @reported
    def main():
        config = Config(dict(train_dataloader=dict(batch_size=1)))
        print(config.train_dataloader.dataset)

    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 'error: the config has no dataset where this command needs it'


def test_a_name_that_is_not_utf8_is_printed(monkeypatch):
    output = io.TextIOWrapper(io.BytesIO(), encoding='utf-8', errors='strict')
    monkeypatch.setattr(sys, 'stdout', output)
    report_user_errors(lambda: print(os.fsdecode(b'M\xfcller.avi')))()
    output.flush()
    assert b'ller.avi' in output.buffer.getvalue()


def test_an_error_of_the_program_keeps_its_traceback(reported):
    @reported
    def main():
        raise RuntimeError('a fault')

    with pytest.raises(RuntimeError, match='a fault') as raised:
        main()
    assert raised.value.__context__ is None


@pytest.mark.parametrize('status', [0, 143], ids=['to its end', 'until it is stopped'])
def test_no_thread_of_a_rank_outlives_its_training(status):
    """One that lets go of a tensor while Python ends aborts the process."""
    one_rank = dict(RANK='0', WORLD_SIZE='1', MASTER_ADDR='127.0.0.1', MASTER_PORT='0')
    one_rank['CUDA_VISIBLE_DEVICES'] = ''  # torch keeps a thread for each GPU
    done = subprocess.run(
        [sys.executable, '-c', RANK, *([str(status)] if status else [])],
        env={**os.environ, **one_rank, 'OMP_NUM_THREADS': '1'},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert done.stdout == '0\n'


@pytest.mark.parametrize('address', ['s3://bucket/a.pth', 'torchvision://nosuch'])
def test_a_checkpoint_that_is_not_there_costs_two_lines(reported, address):
    @reported
    def main():
        load_checkpoint(torch.nn.Linear(1, 1), address)

    with pytest.raises(SystemExit, match=f'^error: {address}: cannot be loaded') as end:
        main()
    assert str(end.value).count('\n') == 1
