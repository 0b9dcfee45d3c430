"""Training runs in processes of their own, to be killed and resumed."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmengine.runner import CheckpointLoader

import echocardmae_mm  # noqa: F401  (patches CheckpointLoader)

ROOT = Path(__file__).parents[2]
LIBRARIES = (
    'echocardmae_mm.engine',
    'echocardmae_mm.datasets.transforms',
    'echocardmae_mm.models',
    'mmaction.datasets.transforms',
    'mmaction.engine',
    'mmaction.evaluation',
    'mmengine.visualization',
    'torchvision',
    'yapf.yapflib.yapf_api',
)
# Processes are forked from one that has imported all this, which saves some 15 seconds a run.
# Importing our package first applies its patches there too.
os.environ.setdefault('OMP_NUM_THREADS', '1')
PROCESSES = multiprocessing.get_context('forkserver')
PROCESSES.set_forkserver_preload(list(LIBRARIES))


class Run:
    """Training in processes of their own, one after another on the same work directory.

    Args:
        recordings (Path): Folder of the training set.
        work_dir (Path): Where the run writes.
        options (str): Settings to override, as ``key=value``.
    """

    def __init__(self, recordings: Path, work_dir: Path, *options: str) -> None:
        self.work_dir = work_dir
        self.config = ROOT / 'tests' / 'engine' / 'tiny_pretraining.py'
        self.options = [f'train_dataloader.dataset.data_root={recordings}', *options]
        work_dir.mkdir()

    def start(self, *arguments: str, script: str = f'{ROOT}/tools/train.py', ranks: int = 1) -> Run:
        """Start the script as its users would, each rank in a process group of its own."""
        work_dir = f'--work-dir={self.work_dir}'
        names = {
            'SCRIPT': script,
            'ARGUMENTS': [str(self.config), work_dir, *arguments, '--cfg-options', *self.options],
            'OUTPUT': str(self.work_dir / 'output.txt'),
        }
        environments = [{}] if ranks == 1 else _environments_of_ranks(ranks)
        self.processes = [
            PROCESSES.Process(
                target=runpy.run_path,
                args=(
                    f'{ROOT}/tests/engine/train_process.py',
                    {**names, 'ENVIRONMENT': environment},
                    '__main__',
                ),
            )
            for environment in environments
        ]
        self.started = time.monotonic()
        for process in self.processes:
            process.start()
        return self

    def finish(self) -> int:
        """Wait for the end, and give the exit status; negative is the signal that killed it."""
        for process in self.processes:
            process.join(120)
        if self.lives():
            self.send(signal.SIGKILL)
            pytest.fail(f'hangs: {self.output()[-2000:]}')
        self.seconds = time.monotonic() - self.started
        statuses = {process.exitcode for process in self.processes}
        assert len(statuses) == 1, f'{statuses}: {self.output()[-2000:]}'
        return statuses.pop()

    def lives(self) -> bool:
        """Whether a process of the run still runs."""
        return any(process.is_alive() for process in self.processes)

    def wait_for_file(self, pattern: str) -> bool:
        """Wait for a file in the work directory; False if the run ended before."""
        while self.lives():
            if next(self.work_dir.glob(pattern), None):
                return True
            time.sleep(0.001)
        return False

    def send(self, number: int, rank: int | None = None) -> None:
        """Send a signal to all that the run started, as a terminal does, or that one rank did."""
        for process in self.processes if rank is None else [self.processes[rank]]:
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:  # It has not yet set up a group of its own.
                os.kill(process.pid, number)

    def output(self) -> str:
        """All that was written on stdout and stderr."""
        return (self.work_dir / 'output.txt').read_text()

    def result(self) -> dict[str, torch.Tensor]:
        """Weights and state of the optimizer at the end."""
        last = (self.work_dir / 'last_checkpoint').read_text()
        checkpoint = CheckpointLoader.load_checkpoint(last)
        states = checkpoint['optimizer']['state'].items()
        moments = {f'{i}.{name}': value for i, state in states for name, value in state.items()}
        return {**checkpoint['state_dict'], **moments}

    def assert_bit_identical(self, reference: Run) -> None:
        """All tensors of both runs are equal, to the last bit."""
        got, expected = self.result(), reference.result()
        assert got.keys() == expected.keys()
        assert [key for key in expected if not torch.equal(got[key], expected[key])] == []


def _environments_of_ranks(count: int) -> list[dict[str, str]]:
    """Environment variables that torchrun sets for each rank."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = str(probe.getsockname()[1])
    common = {'WORLD_SIZE': str(count), 'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': port}
    return [{**common, 'RANK': str(rank), 'LOCAL_RANK': str(rank)} for rank in range(count)]


@pytest.fixture(scope='session')
def recordings(tmp_path_factory: pytest.TempPathFactory, make_video: Callable[..., Path]) -> Path:
    """Folder of thirteen short recordings: four batches of three, and one left over."""
    folder = tmp_path_factory.mktemp('recordings')
    for index in range(13):
        make_video(folder / f'{index:02d}.avi', num_frames=20, seed=index)
    return folder


@pytest.fixture
def new_run(recordings: Path, tmp_path: Path) -> Callable[..., Run]:
    """``new_run(*options)`` prepares a run with settings of its own."""
    return lambda *options: Run(recordings, tmp_path / str(len(list(tmp_path.iterdir()))), *options)


@pytest.fixture(scope='session')
def new_shared_run(
    recordings: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Run]:
    """``new_run`` for fixtures that several tests share."""
    return lambda *options: Run(recordings, tmp_path_factory.mktemp('shared') / 'run', *options)


@pytest.fixture(scope='session')
def uninterrupted(new_shared_run: Callable[..., Run]) -> Run:
    """A run that nothing disturbs; it keeps all its checkpoints."""
    run = new_shared_run('default_hooks.checkpoint.max_keep_ckpts=-1')
    assert run.start().finish() == 0, run.output()
    return run
