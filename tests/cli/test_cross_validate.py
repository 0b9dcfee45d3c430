"""The command ``cross-validate`` on a small CAMUS: real folds."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.helpers.camus import write_view
from tests.helpers.small_models import small_ef

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def camus(tmp_path_factory) -> Path:
    """Nine patients with their four-chamber half sequences."""
    root = tmp_path_factory.mktemp('CAMUS')
    generator = np.random.default_rng(0)
    for number in range(1, 10):
        info = (
            f'ED: 1\nES: 8\nNbFrame: 8\nImageQuality: {"Poor" if number == 3 else "Good"}\n'
            f'EF: {40 + number}\nFrameRate: 50\n'
        )
        pixels = generator.integers(0, 255, (8, 50, 40), dtype=np.uint8)
        folder = root / 'database_nifti' / f'patient{number:04d}'
        write_view(folder, '4CH', info, {'half_sequence': pixels})
    return root


@pytest.fixture
def run(command, tmp_path):
    """``run(camus, *arguments)`` runs it in a folder of its own."""
    (tmp_path / 'ef.py').write_text(small_ef('ef_camus', 'train_cfg = dict(max_epochs=2)'))

    def run(camus: Path, *arguments: str) -> subprocess.CompletedProcess:
        settings = [text for text in arguments if '=' in text]
        flags = [text for text in arguments if '=' not in text]
        options = ['--cfg-options', f'data_root={camus}', *settings]
        return command('cross-validate', 'ef.py', '--folds', '2', *flags, *options, cwd=tmp_path)

    return run


@pytest.mark.slow
def test_folds_are_run_once_gathered_and_refused_when_they_are_others(
    run, camus, tmp_path, request
):
    first = run(camus, '--fold', '1', '--seed', '3')
    assert first.returncode == 0, first.stderr
    assert 'no summary yet: fold_0 in' in first.stdout
    work_dir = tmp_path / 'work_dirs' / 'ef'
    assert (work_dir / 'fold_1' / 'train.log').is_file()
    request.getfixturevalue('folds_here')  # child processes have been tested
    tested = (work_dir / 'fold_1' / 'test.json').stat().st_mtime_ns

    # The folder of a fold comes from another machine, which has the data in another place.
    shutil.copytree(work_dir / 'fold_1', tmp_path / 'elsewhere')
    shutil.rmtree(work_dir / 'fold_1')
    shutil.copytree(tmp_path / 'elsewhere', work_dir / 'fold_1')
    shutil.copytree(camus, tmp_path / 'copy')
    whole = run(tmp_path / 'copy', '--seed', '3')
    assert whole.returncode == 0, whole.stderr
    assert (work_dir / 'fold_1' / 'test.json').stat().st_mtime_ns == tested

    summary = json.loads((work_dir / 'cross_validation.json').read_text())
    assert (summary['recordings'], summary['patients']) == (9, 9)
    assert summary['seeds'] == [3]
    assert 'Seed 3, tested at' in (work_dir / 'cross_validation.md').read_text()
    assert summary['source'] == 'CAMUS, NIfTI release'
    pooled = pd.read_csv(work_dir / 'predictions.csv')
    assert sorted(pooled['patient']) == [f'patient{i:04d}' for i in range(1, 10)]
    assert pooled.groupby('fold')['patient'].apply(list).tolist() == [
        [f'patient{i:04d}' for i in patients] for patients in (range(1, 6), range(6, 10))
    ]
    error = (pooled['prediction'] - pooled['ef']).abs()
    assert summary['pooled']['mae'] == pytest.approx(error.mean())
    assert summary['folds']['mae']['mean'] == pytest.approx(
        error.groupby(pooled['fold']).mean().mean()
    )
    assert '| MAE ' in (work_dir / 'cross_validation.md').read_text()
    assert (work_dir / 'plots' / 'bland_altman.png').is_file()
    assert (work_dir / 'folds.csv').read_text().startswith('patient,fold\npatient0001,0\n')

    for unneeded in (work_dir / 'fold_0').glob('*.pth'):  # its results still belong to a run
        unneeded.unlink()
    (work_dir / 'fold_1' / 'test.json').unlink()
    for changed, message in (
        (('--seed', '4'), 'arguments was --seed 3, now --seed 4'),
        (('--seed', '3', '--fold', '1', '--amp'), 'arguments was --seed 3, now --amp --seed 3'),
        (('--seed', '3', 'train_cfg.max_epochs=3'), 'train_cfg.max_epochs was 2, now 3'),
        (('--seed', '3', '--folds', '3'), 'folds.csv holds a different assignment'),
    ):
        other = run(camus, *changed)
        assert other.returncode == 1
        assert message in other.stderr


def test_a_fixed_number_of_epochs_trains_on_all_other_patients(run, folds_here, camus, tmp_path):
    """As docs/ejection-fraction.md says it."""
    nothing = (f'val_{part}=None' for part in ('cfg', 'dataloader', 'evaluator'))
    done = run(camus, '--fold', '1', 'val_share=0', *nothing)
    assert done.returncode == 0, done.stderr
    fold = tmp_path / 'work_dirs' / 'ef' / 'fold_1'
    assert json.loads((fold / 'test.json').read_text())['checkpoint'].endswith('epoch_2.pth')
    assert 'CAMUSDataset: 5 recordings to read' in (fold / 'train.log').read_text()
    assert pd.read_csv(fold / 'predictions.csv')['patient'].tolist() == [
        f'patient{i:04d}' for i in (6, 7, 8, 9)
    ]


@pytest.mark.slow
def test_a_signal_reaches_the_fold_which_saves_and_goes_on(command, camus, tmp_path):
    (tmp_path / 'ef.py').write_text(small_ef('ef_camus', 'train_cfg = dict(max_epochs=400)'))
    patient = 'default_hooks.early_stopping.patience=400'  # the run outlasts a slow second command
    options = ['--cfg-options', f'data_root={camus}', patient]
    words = ['cross-validate', 'ef.py', '--folds', '3', '--fold', '0', *options]
    program = [sys.executable, '-m', 'echocardmae_mm', *words]
    process = subprocess.Popen(program, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    fold = tmp_path / 'work_dirs' / 'ef' / 'fold_0'
    while not list(fold.glob('epoch_*.pth')):
        assert process.poll() is None
        time.sleep(0.1)
    second = command(*words, cwd=tmp_path)
    assert 'another process is running in it' in second.stderr
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM
    assert 'fold 0 stopped; repeat the command to continue' in errors
    assert (fold / 'interrupted.pth').is_file()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('--fold', '2'), 'error: --fold 2: expected 0 to 1'),
        (('--folds', '10'), 'error: num_folds=10 for 9 patients'),
    ],
)
def test_impossible_folds_cost_a_line(run, camus, arguments, message):
    done = run(camus, *arguments)
    assert done.returncode == 1
    assert done.stderr.strip().startswith(message)
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_config_without_folds_is_named(command, tmp_path):
    done = command('cross-validate', ROOT / 'configs' / 'ef_echonet.py', cwd=tmp_path)
    assert done.returncode == 1
    assert 'no data set has folds' in done.stderr
