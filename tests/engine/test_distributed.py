"""Two processes without a GPU train, stop together, and go on exactly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BATCH = 'train_dataloader.batch_size=2'  # with two ranks, epochs of three iterations


def test_a_signal_to_one_rank_stops_both_and_they_go_on_exactly(new_run):
    uninterrupted = new_run(BATCH).start('--launcher=pytorch', ranks=2)
    assert uninterrupted.finish() == 0, uninterrupted.output()

    run = new_run(BATCH, 'train_dataloader.num_workers=1').start('--launcher=pytorch', ranks=2)
    assert run.wait_for_file('iter_2.pth')
    run.send(signal.SIGTERM, rank=1)
    assert run.finish() == 128 + signal.SIGTERM
    assert (run.work_dir / 'interrupted.pth').is_file()

    assert run.start('--launcher=pytorch', '--resume', ranks=2).finish() == 0, run.output()
    run.assert_bit_identical(uninterrupted)


@pytest.mark.slow
def test_dist_train(recordings, tmp_path):
    script, config = ROOT / 'tools/dist_train.sh', ROOT / 'tests/engine/tiny_pretraining.py'
    options = ['--cfg-options', BATCH, f'train_dataloader.dataset.data_root={recordings}']
    result = subprocess.run(
        ['bash', script, config, '2', f'--work-dir={tmp_path}', *options],
        env={**os.environ, 'PATH': f'{Path(sys.executable).parent}:{os.environ["PATH"]}'},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert (tmp_path / 'iter_9.pth').is_file()
