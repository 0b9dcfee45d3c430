"""Two processes without a GPU train, stop together, and go on exactly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from mmengine.runner import CheckpointLoader

ROOT = Path(__file__).parents[2]
BATCH = 'train_dataloader.batch_size=2'  # with two ranks, epochs of three iterations

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group('two_ranks')]

VALIDATED = f"""
_base_ = '{ROOT}/tests/engine/tiny_pretraining.py'
val_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=False),
    dataset=dict(_base_.train_dataloader.dataset, test_mode=True, indices=3),
)
val_cfg = dict(type='ValLoop')
val_evaluator = dict(type='echocardmae_mm.ReconstructionMetric')
"""


@pytest.fixture(scope='module')
def validated(tmp_path_factory):
    """A config with validation, whose check must not disturb two ranks."""
    path = tmp_path_factory.mktemp('validated') / 'validated.py'
    path.write_text(VALIDATED)
    return path


@pytest.fixture(scope='module')
def two_ranks(new_shared_run, recordings, validated):
    """A run that nothing disturbs."""
    run = new_shared_run(BATCH, f'val_dataloader.dataset.data_root={recordings}')
    run.config = validated
    assert run.start('--launcher=pytorch', ranks=2).finish() == 0, run.output()
    return run


def test_a_signal_to_one_rank_stops_both_and_they_resume_exactly(
    new_run, recordings, validated, two_ranks
):
    data = f'val_dataloader.dataset.data_root={recordings}'
    run = new_run(BATCH, data, 'train_dataloader.num_workers=1')
    run.config = validated
    run.start('--launcher=pytorch', ranks=2)
    assert run.wait_for_file('iter_2.pth')
    run.send(signal.SIGTERM, rank=1)
    assert run.finish() == 128 + signal.SIGTERM
    assert (run.work_dir / 'interrupted.pth').is_file()

    assert run.start('--launcher=pytorch', '--resume', ranks=2).finish() == 0, run.output()
    run.assert_bit_identical(two_ranks)


def dist_train(recordings: Path, work_dir: Path, **environment: str) -> subprocess.Popen:
    """Two processes of the tiny pretraining, as tools/dist_train.sh starts them."""
    script, config = ROOT / 'tools/dist_train.sh', ROOT / 'tests/engine/tiny_pretraining.py'
    options = ['--cfg-options', BATCH, f'train_dataloader.dataset.data_root={recordings}']
    path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
    return subprocess.Popen(
        ['bash', script, config, '2', f'--work-dir={work_dir}', '--resume', *options],
        env={**os.environ, 'PATH': path, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def ranks_of(work_dir: Path) -> list[int]:
    """Processes that train into a folder."""
    found = []
    for process in Path('/proc').glob('[0-9]*'):
        with suppress(OSError):
            words = (process / 'cmdline').read_text().split('\0')
            if words[2:3] and words[2].endswith('train.py') and f'--work-dir={work_dir}' in words:
                found.append(int(process.name))
    return found


def test_dist_train_resumes_after_a_rank_was_killed(recordings, two_ranks, tmp_path):
    killed = dist_train(recordings, tmp_path, MAX_RESTARTS='1')
    while not (tmp_path / 'iter_2.pth').is_file():
        assert killed.poll() is None
        time.sleep(0.01)
    os.kill(ranks_of(tmp_path)[0], signal.SIGKILL)
    _, errors = killed.communicate(timeout=300)
    assert killed.returncode == 0, errors[-2000:]
    assert len(list(tmp_path.glob('*/*.log'))) == 2
    ours, theirs = (
        CheckpointLoader.load_checkpoint(str(folder / 'iter_9.pth'))['state_dict']
        for folder in (tmp_path, two_ranks.work_dir)
    )
    for name, value in theirs.items():
        assert torch.equal(ours[name], value), name
