"""The command ``reproduce``: a real workflow that is stopped, fails, and is continued."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from time import sleep

import pytest

from echocardmae_mm.cli import reproduce, workflow
from echocardmae_mm.cli.run_folder import folder_lock
from echocardmae_mm.reproduction import PAPER, Step
from tests.helpers.small_models import small_ef

ROOT = Path(__file__).parents[2]
BACKBONE = 'embed_dims=48, depth=1, num_heads=3'
PRETRAINING = f"""
_base_ = '{ROOT}/configs/pretrain_echo.py'
model = dict(backbone=dict({BACKBONE}), neck=dict({BACKBONE}))
train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False)
train_cfg = dict(max_epochs=15)
default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=1), reconstruction=None)
"""
PRETRAINED, TRAINED, COMPARED = 'pretrain/full/seed_0', 'ef/full/seed_0', 'figure2/seed_0'


def small_plan(rate: object, configs: Path, data: Path) -> list[Step]:
    """Figure 2 of one small model, compared with itself."""
    settings = {'data_root': str(data)}
    start = ('model.backbone.init_cfg.checkpoint',)
    training = {**settings, 'optim_wrapper.optimizer.lr': rate}
    ef = str(configs / 'ef.py')
    return [
        Step(PRETRAINED, 'pretraining', str(configs / 'pretrain.py'), settings, 0),
        Step(TRAINED, 'finetuning', ef, training, 0, (PRETRAINED,), start),
        Step(COMPARED, 'clip_consistency', ef, settings, 0, (TRAINED, TRAINED)),
    ]


@contextmanager
def when(condition: Callable[[], object], then: Callable[[], object]) -> Iterator[None]:
    """Call ``then`` as soon as ``condition`` holds."""

    def wait() -> None:
        while not over.is_set():
            if condition():
                return then()
            sleep(0.05)

    over = Event()
    thread = Thread(target=wait)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.mark.slow
def test_a_workflow_that_was_stopped_and_failed_goes_on(
    command, monkeypatch, tmp_path, echonet_root
):
    (tmp_path / 'pretrain.py').write_text(PRETRAINING)
    (tmp_path / 'ef.py').write_text(small_ef(more="del model['backbone']['init_cfg']"))
    rate: list[object] = ['fast']
    monkeypatch.setattr(reproduce, 'plan', lambda *_: small_plan(rate[0], tmp_path, echonet_root))
    steps = tmp_path / 'work_dirs/reproduce/full'

    def run(*options: str):
        return command('reproduce', 'figure2', *options, cwd=tmp_path)

    def metadata(name: str) -> dict:
        return json.loads((steps / name / 'step.json').read_text())

    pretraining = steps / PRETRAINED
    with when(
        lambda: list(pretraining.glob('epoch_*.pth')), lambda: os.kill(os.getpid(), signal.SIGTERM)
    ):
        stopped = run()
    assert stopped.returncode == 128 + signal.SIGTERM
    assert 'stopped; repeat the command to continue' in stopped.stderr
    assert (pretraining / 'interrupted.pth').is_file()
    assert not metadata(PRETRAINED)['finished']
    before = metadata(PRETRAINED)['seconds']
    assert '| interrupted |' in run('--dry-run').stdout

    failed = run()
    assert failed.returncode == 1
    assert failed.stdout.count('error: ') == 1
    assert f'error: {TRAINED}, train: ' in failed.stdout
    assert 'optim_wrapper.optimizer.lr' in failed.stdout
    assert f'(log: work_dirs/reproduce/full/{TRAINED}/train.log)' in failed.stdout
    assert failed.stderr == 'error: a step failed\nRepeat the command to continue\n'
    assert 'resumed epoch' in (pretraining / 'train.log').read_text()
    pretrained = metadata(PRETRAINED)
    assert pretrained['finished']
    assert pretrained['seconds'] > before > 0

    rate[0] = 1e-5
    whole = run('--jobs', '2')
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert metadata(PRETRAINED) == pretrained
    assert all(metadata(name)['finished'] for name in (TRAINED, COMPARED))
    assert f'{PRETRAINED}/epoch_15.pth' in (steps / TRAINED / 'ef.py').read_text()
    assert json.loads((steps / TRAINED / 'test.json').read_text())['metrics']['ef/n'] == 2
    table = tmp_path / 'results/figure2.md'
    assert whole.stdout.endswith('results/figure2.md\n')
    assert '| intraclass correlation ' in table.read_text()

    table.write_text(table.read_text().replace('1 seed,', '5 seeds,'))
    assert 'figure2.md was computed from 5 seeds' in run().stderr
    rate[0] = 1e-4
    assert 'optim_wrapper.optimizer.lr' in run('--results', 'other').stderr
    rate[0] = 1e-5
    (pretraining / 'epoch_15.pth').write_bytes(b'another')
    assert 'started from another checkpoint than' in run('--results', 'other').stderr


@pytest.mark.parametrize(
    ('note', 'message'),
    [
        (dict(commit='0123', finished=False), 'was started at commit 0123 and is unfinished'),
        (dict(seed=7, commit='0123', finished=True), 'seed was 7, now 0'),
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
    assert not list(tmp_path.rglob('plan.json'))


def test_data_are_looked_for_before_anything_is_run(command, tmp_path):
    (tmp_path / 'data/EchoNet-Dynamic').mkdir(parents=True)
    done = command('reproduce', 'table1', 'table2', cwd=tmp_path)
    assert done.returncode == 1
    assert 'data/CAMUS: no such folder' in done.stderr
    assert not list(tmp_path.rglob('step.json'))


def test_published_weights_are_looked_for_before_anything_is_run(command, tmp_path):
    for folder in ('EchoNet-Dynamic', 'CAMUS'):
        (tmp_path / 'data' / folder).mkdir(parents=True)
    done = command('reproduce', 'table1', 'table3', cwd=tmp_path)
    assert done.returncode == 1
    files = 'checkpoints/sam_vit_b.pth, checkpoints/uniformer_small_k400_16x8.pth'
    assert f'{files}: no such file\nDownload the published weights' in done.stderr
    assert (
        f'Missing: {files}'
        in command('reproduce', 'table1', 'table3', '--dry-run', cwd=tmp_path).stdout
    )
    assert not list(tmp_path.rglob('step.json'))


def test_a_start_that_left_nothing_is_begun_anew(command, tmp_path):
    folder = tmp_path / 'work_dirs/reproduce/full/pretrain/none/seed_0'
    folder.mkdir(parents=True)
    note = dict(commit='0123', finished=False, seconds=9.0, seed=7)
    (folder / 'step.json').write_text(json.dumps(note))
    done = command('reproduce', 'table5', cwd=tmp_path)
    assert 'data/EchoNet-Dynamic: no such folder' in done.stderr


def test_a_folder_in_which_another_reproduction_runs_is_refused(command, tmp_path):
    root = tmp_path / 'work_dirs/reproduce/full'
    root.mkdir(parents=True)
    with folder_lock(root):
        done = command('reproduce', 'figure2', cwd=tmp_path)
    assert done.stderr == ('error: work_dirs/reproduce/full: another process is running in it\n')


def test_a_dry_run_shows_the_plan_also_for_a_cluster_and_leaves_nothing(command, tmp_path):
    pytest.importorskip('snakemake_executor_plugin_slurm')
    local = command('reproduce', 'table2', 'figure2', '--dry-run', cwd=tmp_path)
    assert local.returncode == 0, local.stderr
    assert '| ef_camus/pretrain_echo/seed_0/fold_9 ' in local.stdout
    assert local.stdout.count('| to run |') == 40
    assert 'Missing: data/CAMUS, data/EchoNet-Dynamic' in local.stdout
    counts = dict(line.split() for line in local.stdout.rpartition('\n\n')[2].splitlines()[2:])
    assert counts['fold'] == '30'
    cluster = command(
        'reproduce', 'table2', 'figure2', '--dry-run', '--profile', 'slurm', cwd=tmp_path
    )
    assert cluster.stdout == local.stdout
    unknown = command('reproduce', 'figure2', '--dry-run', '--profile', 'pbs', cwd=tmp_path)
    assert unknown.returncode == 1
    assert 'error: Snakemake: ' in unknown.stderr
    assert not list(tmp_path.iterdir())


def test_an_unknown_table_is_named(command):
    done = command('reproduce', 'table7')
    assert done.returncode == 1
    assert 'table7: no such table; choose from table1, table2' in done.stderr


def test_all_tables_of_the_paper_and_others():
    tables = reproduce.parse_args(['all', 'table1', 'latents']).tables
    assert tables == [*PAPER, 'latents']


def test_snakemake_is_asked_for(command, monkeypatch):
    monkeypatch.setattr(workflow, 'find_spec', lambda _: None)
    done = command('reproduce', 'table1')
    assert done.stderr.splitlines() == [
        'error: reproduce needs Snakemake',
        'Install it: pip install "echocardmae_mm[reproduce]"',
    ]
