"""A run resumed after any interruption ends with the weights of an uninterrupted run."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import time
from pathlib import Path

import pytest

WORKERS = {
    'no workers': [],
    '2 workers': ['train_dataloader.num_workers=2'],
    '2 that persist': [
        'train_dataloader.num_workers=2',
        'train_dataloader.persistent_workers=True',
    ],
    '4 workers': ['train_dataloader.num_workers=4'],
    '4 that persist': [
        'train_dataloader.num_workers=4',
        'train_dataloader.persistent_workers=True',
    ],
}


def kill_and_resume(run, seconds, kills):
    """Kill at random moments of a run that lasts about so long; then let it end."""
    rng = random.Random(os.urandom(8))
    hits = 0
    while hits < kills:
        run.start('--resume').processes[0].join(rng.uniform(0, seconds))
        if run.lives():
            run.send(signal.SIGKILL)
            run.finish()
            hits += 1
        elif hits:
            break
        else:  # It lasts less long than was thought, and is over.
            seconds /= 2
            shutil.rmtree(run.work_dir)
            run.work_dir.mkdir()
    assert run.start('--resume').finish() == 0, run.output()


def test_workers_change_nothing(new_run, uninterrupted):
    run = new_run(*WORKERS['2 that persist'])
    assert run.start('--resume').finish() == 0
    assert 'nothing to resume' in run.output()
    run.assert_bit_identical(uninterrupted)


@pytest.mark.parametrize('iteration', [4, 6])
def test_resumed_inside_and_at_the_end_of_an_epoch(new_run, uninterrupted, iteration):
    run = new_run()
    checkpoint = uninterrupted.work_dir / f'iter_{iteration}.pth'
    assert run.start('--resume', str(checkpoint)).finish() == 0, run.output()
    run.assert_bit_identical(uninterrupted)


def test_resumes_a_wrapped_data_set(new_run, uninterrupted, recordings):
    run = new_run()
    tiny, run.config = run.config, run.work_dir / 'wrapped.py'
    run.config.write_text(
        f'_base_ = {str(tiny)!r}\n'
        "train_dataloader = dict(dataset=dict(_delete_=True, type='RepeatDataset', times=1, "
        'dataset={{_base_.train_dataloader.dataset}}))\n'
    )
    run.options = [f'data_root={recordings}']
    checkpoint = uninterrupted.work_dir / 'iter_6.pth'
    assert run.start('--resume', str(checkpoint)).finish() == 0, run.output()
    run.assert_bit_identical(uninterrupted)


def test_killed_while_the_last_checkpoint_is_named(new_run, uninterrupted):
    run = new_run()
    shutil.copytree(uninterrupted.work_dir, run.work_dir, dirs_exist_ok=True)
    (run.work_dir / 'last_checkpoint').write_text('')  # opened, but not yet written
    assert run.start('--resume').finish() == 0, run.output()
    run.assert_bit_identical(uninterrupted)


def test_killed_at_random_moments(new_run, uninterrupted):
    run = new_run(*WORKERS['2 workers'])
    kill_and_resume(run, uninterrupted.seconds, kills=3)
    run.assert_bit_identical(uninterrupted)


@pytest.mark.slow
@pytest.mark.parametrize('loader', ['no workers', '4 workers', '4 that persist'])
def test_killed_at_random_moments_with_any_workers(new_run, uninterrupted, loader):
    run = new_run(*WORKERS[loader], 'default_hooks.checkpoint.interval=1')
    kill_and_resume(run, uninterrupted.seconds, kills=8)
    run.assert_bit_identical(uninterrupted)


def test_killed_while_a_checkpoint_is_written(new_run, uninterrupted):
    run = new_run()
    unfinished = []
    for _ in range(3):
        for file in unfinished:
            file.unlink()
        assert run.start('--resume').wait_for_file('*.part')
        run.send(signal.SIGKILL)
        run.finish()
        unfinished = list(run.work_dir.glob('*.part'))
        if unfinished:
            break
    assert unfinished, 'no kill hit the writing of a checkpoint'
    assert run.start('--resume').finish() == 0, run.output()
    assert not list(run.work_dir.glob('*.part'))
    run.assert_bit_identical(uninterrupted)


@pytest.mark.parametrize(
    ('number', 'loader'),
    [(signal.SIGTERM, WORKERS['2 that persist']), (signal.SIGINT, WORKERS['no workers'])],
)
def test_a_signal_saves_and_exits(new_run, uninterrupted, number, loader):
    run = new_run(*loader)
    assert run.start().wait_for_file('iter_2.pth')
    run.send(number)
    assert run.finish() == 128 + number
    last = Path((run.work_dir / 'last_checkpoint').read_text())
    assert last == run.work_dir / 'interrupted.pth'
    assert re.search(rf'{number.name}: saved .*--resume', run.output())
    assert 'Traceback' not in run.output()
    assert run.start('--resume').finish() == 0, run.output()
    run.assert_bit_identical(uninterrupted)


def test_a_killed_worker_is_reported_and_the_run_can_be_resumed(new_run):
    run = new_run(*WORKERS['2 that persist'], 'train_cfg.max_epochs=12')
    assert run.start().wait_for_file('iter_2.pth')
    main = run.processes[0].pid
    os.kill(int(Path(f'/proc/{main}/task/{main}/children').read_text().split()[0]), signal.SIGKILL)
    assert run.finish() == 1
    last = run.output().strip().splitlines()[-2:]
    assert last[0].startswith('error: a worker process was killed')
    assert '--resume' in last[1]
    assert 'Traceback' not in run.output()
    assert run.start('--resume').finish() == 0, run.output()
    assert (run.work_dir / 'iter_48.pth').is_file()


def test_mmengines_own_loop_ends_with_other_weights(new_run, uninterrupted):
    run = new_run('train_cfg.type=EpochBasedTrainLoop')
    run.start('--resume', str(uninterrupted.work_dir / 'iter_6.pth')).finish()
    with pytest.raises(AssertionError):
        run.assert_bit_identical(uninterrupted)


def test_unreadable_checkpoints_are_skipped(new_run, uninterrupted):
    run = new_run()
    good, bad = run.work_dir / 'iter_4.pth', run.work_dir / 'iter_6.pth'
    good.write_bytes((uninterrupted.work_dir / 'iter_4.pth').read_bytes())
    time.sleep(0.01)
    bad.write_bytes((uninterrupted.work_dir / 'iter_6.pth').read_bytes()[:10_000])
    (run.work_dir / 'last_checkpoint').write_text(str(run.work_dir / 'iter_8.pth'))
    assert run.start('--resume').finish() == 0, run.output()
    assert str(bad) in run.output()
    run.assert_bit_identical(uninterrupted)
