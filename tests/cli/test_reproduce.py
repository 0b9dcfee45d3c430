"""The command ``reproduce``: real steps in child processes, stopped and continued."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from echocardmae_mm.reproduction import BUDGETS
from echocardmae_mm.reproduction.plan import Budget

TOOL = Path(__file__).parents[2] / 'tools' / 'reproduce.py'
# The command on fewer phantoms and for fewer epochs.
SMALL = Budget(epochs=0.04, folds=2, phantoms=(90, 3, 3))
PROGRAM = f"""
import runpy
from echocardmae_mm.reproduction import BUDGETS
from echocardmae_mm.reproduction.plan import Budget
BUDGETS['small'] = {SMALL}
runpy.run_path('{TOOL}', run_name='__main__')
"""


@pytest.fixture
def run(command, monkeypatch, tmp_path):
    """``run('table1', *arguments)`` is ``PROGRAM`` in this process."""
    monkeypatch.setitem(BUDGETS, 'small', SMALL)
    options = ('--phantom', '--budget', 'small')
    return lambda *arguments: command('reproduce', *arguments, *options, cwd=tmp_path)


@pytest.mark.slow
def test_a_stopped_reproduction_goes_on_and_writes_its_table(run, tmp_path):
    (tmp_path / 'reproduce_small.py').write_text(PROGRAM)
    process = subprocess.Popen(
        [sys.executable, 'reproduce_small.py', 'figure2', '--phantom', '--budget', 'small'],
        cwd=tmp_path, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first.startswith('pretrain/key_area_denoising/seed_0: finished')
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM
    steps = tmp_path / 'work_dirs/reproduce/phantom_small'
    note = steps / 'pretrain/key_area_denoising/seed_0/step.json'
    finished = note.stat().st_mtime_ns
    assert not (tmp_path / 'results').exists()

    planned = run('figure2', '--dry-run')
    assert '| pretrain/key_area_denoising/seed_0   | finished' in planned.stdout
    assert 'figure2/seed_0' in planned.stdout

    whole = run('figure2')
    assert whole.returncode == 0, whole.stderr[-2000:]
    assert note.stat().st_mtime_ns == finished
    notes = [json.loads(path.read_text()) for path in steps.rglob('step.json')]
    assert len(notes) == 5
    assert all(note['finished'] and note['seconds'] > 1 for note in notes)
    for step in ('ef_echonet/key_area_denoising', 'ef_echonet/pretrain_echo'):
        config = (steps / step / 'seed_0' / 'ef_phantom.py').read_text()
        assert f'pretrain/{Path(step).name}/seed_0/epoch_1.pth' in config
    table = (tmp_path / 'results/phantom/small/figure2.md').read_text()
    assert 'not comparable with the paper' in table
    assert '| intraclass correlation ' in table

    table = tmp_path / 'results/phantom/small/figure2.md'
    table.write_text(table.read_text().replace('1 seed,', '5 seeds,'))
    fewer = run('figure2')
    assert fewer.returncode == 1
    assert 'figure2.md was computed from 5 seeds' in fewer.stderr
    table.unlink()

    changed = note.read_text().replace('"seed": 0', '"seed": 7')
    note.write_text(changed)
    refused = run('figure2')
    assert refused.returncode == 1
    assert 'seed was 7, now 0' in refused.stderr
    assert note.read_text() == changed


@pytest.mark.parametrize(
    ('note', 'message'),
    [
        (dict(commit='0123', finished=False), 'was started at commit 0123 and is unfinished'),
        (None, 'holds a run but lacks its step.json'),
    ],
)
def test_what_another_run_left_is_refused_and_kept(command, tmp_path, note, message):
    folder = tmp_path / 'work_dirs/reproduce/full/pretrain/none/seed_0'
    folder.mkdir(parents=True)
    (folder / 'epoch_1.pth').write_bytes(b'precious')
    if note is not None:
        asked = dict(
            config='configs/ablations/none.py',
            settings=dict(data_root='data/EchoNet-Dynamic'),
            seed=0,
            folds=None,
            amp=False,
        )
        (folder / 'step.json').write_text(json.dumps({**asked, 'seconds': 1.0, **note}))
    done = command('reproduce', 'table5', cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2
    assert (folder / 'epoch_1.pth').read_bytes() == b'precious'
    assert len(list(tmp_path.rglob('*'))) == 7 + (note is not None)


def test_data_are_looked_for_before_anything_is_run(command, tmp_path):
    (tmp_path / 'data/EchoNet-Dynamic').mkdir(parents=True)
    done = command('reproduce', 'table1', 'table2', cwd=tmp_path)
    assert done.returncode == 1
    assert 'data/CAMUS: no such folder' in done.stderr
    assert not list(tmp_path.rglob('step.json'))
    planned = command('reproduce', 'table1', 'table2', '--dry-run', cwd=tmp_path)
    assert planned.stdout.endswith('Missing: data/CAMUS\n')


def test_a_start_that_left_nothing_is_begun_anew(command, tmp_path):
    folder = tmp_path / 'work_dirs/reproduce/full/pretrain/none/seed_0'
    folder.mkdir(parents=True)
    note = dict(commit='0123', finished=False, seconds=9.0, seed=7)
    (folder / 'step.json').write_text(json.dumps(note))
    done = command('reproduce', 'table5', cwd=tmp_path)
    assert 'data/EchoNet-Dynamic: no such folder' in done.stderr


def test_an_unknown_table_is_named(command):
    done = command('reproduce', 'table7')
    assert done.returncode == 1
    assert 'table7: no such table; choose from table1, table2' in done.stderr
