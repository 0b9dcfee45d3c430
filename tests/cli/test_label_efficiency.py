"""The command ``label-efficiency`` on five training videos: real runs, and what it refuses."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

import pytest
from mmengine.config import Config

from echocardmae_mm.cli import label_efficiency
from echocardmae_mm.cli.reproduction_step import run_step
from echocardmae_mm.cli.step_metadata import last_checkpoint
from echocardmae_mm.engine.provenance import read_provenance
from echocardmae_mm.reproduction import Plan
from tests.helpers.small_models import small_ef, write_checkpoint

SETTINGS = """
model['backbone']['init_cfg'] = dict(checkpoint='encoder.pth')
train_dataloader['batch_size'] = 4
default_hooks = dict(curves=None)
"""
STUDY = Path('work_dirs/label_efficiency/ef')


@pytest.fixture
def run(command, tmp_path, echonet_root):
    """``run(*arguments)`` runs it on the config ``ef.py`` in a folder of its own."""
    (tmp_path / 'ef.py').write_text(small_ef(more=SETTINGS))

    def run(*arguments: str):
        settings = [text for text in arguments if '=' in text]
        flags = [text for text in arguments if '=' not in text]
        words = ['ef.py', '--shares', '0.4', '1', '--seeds', '1', *flags]
        options = ['--cfg-options', f'data_root={echonet_root}', *settings]
        return command('label-efficiency', *words, *options, cwd=tmp_path)

    return run


def run_here(plan: Plan, tables: dict, args: Namespace, lock: int) -> None:
    """Run the jobs of the workflow in this process, and leave what Snakemake leaves."""
    for name in plan.steps:
        for job, done in (('train', 'trained'), ('test', 'tested')):
            run_step(plan, job, name)
            (plan.root / name / f'{done}.done').touch()


@pytest.mark.slow
def test_two_starts_are_compared_by_share_and_a_repeated_command_continues(
    run, tmp_path, monkeypatch
):
    config = Config.fromstring(small_ef(), '.py')
    write_checkpoint(config, tmp_path / 'encoder.pth', seed=1)
    with monkeypatch.context() as patch:
        patch.setattr(label_efficiency, 'run_plan', run_here)
        done = run()
    assert done.returncode == 0, done.stderr
    study = tmp_path / STUDY
    results = json.loads((study / 'label_efficiency.json').read_text())
    assert (results['statistic'], results['patients'], results['seeds']) == ('mae', 2, 1)
    assert [(one['share'], one['patients']) for one in results['shares']] == [(0.4, 2), (1, 5)]
    for one in results['shares']:
        difference = one['pretrained']['estimate'] - one['scratch']['estimate']
        assert one['difference']['estimate'] == pytest.approx(difference)
        assert one['of_pretrained'] != one['of_scratch']
    assert '| 40 %                |        2 | ' in done.stdout
    assert (study / 'label_efficiency.md').read_text() in done.stdout
    assert (study / 'label_efficiency.png').stat().st_size > 10_000

    # The record of the training set, from which leakage is found, has only the labelled videos.
    folders = {start: study / 'share_0.4/seed_0' / start for start in ('pretrained', 'scratch')}
    records = {
        start: read_provenance(str(last_checkpoint(path))) for start, path in folders.items()
    }
    assert len(records['pretrained']['videos']) == 2
    assert records['pretrained']['videos'] == records['scratch']['videos']
    assert [one['checkpoint'] for one in records['pretrained']['started_from']] == ['encoder.pth']
    assert records['scratch']['started_from'] == []

    # Snakemake itself runs the job that is left, and trains nothing again.
    trained = {path: path.stat().st_mtime_ns for path in study.rglob('*.pth')}
    (folders['scratch'] / 'tested.done').unlink()
    again = run()
    assert again.returncode == 0, again.stderr
    assert again.stdout.count(' finished in ') == 1
    assert 'share_0.4/seed_0/scratch: test finished' in again.stdout
    assert {path: path.stat().st_mtime_ns for path in study.rglob('*.pth')} == trained
    assert run('--dry-run').stdout.count('| finished in ') == 4

    # The results bind the folder, also without the checkpoints.
    for path in trained:
        path.unlink()
    assert 'belongs to another run: optim_wrapper.optimizer.lr was' in (
        run('optim_wrapper.optimizer.lr=1e-3').stderr
    )
    write_checkpoint(config, tmp_path / 'encoder.pth', seed=2)
    changed = run().stderr
    assert 'belongs to another run: model.backbone.init_cfg.checkpoint was' in changed
    assert 'Choose another --out, or remove the folder' in changed


def test_a_dry_run_lists_the_runs_and_leaves_nothing(run, tmp_path):
    done = run('--dry-run', '--seeds', '2')
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('| to run |') == 8
    row = next(line for line in done.stdout.splitlines() if 'share_0.4/seed_1/scratch' in line)
    assert [cell.strip() for cell in row.split('|')[2:6]] == ['2', '2', '1', '1']
    assert '8 runs, at most 8 steps in all' in done.stdout
    assert not (tmp_path / 'work_dirs').exists()


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ((), 'model.backbone.init_cfg: encoder.pth: no such checkpoint'),
        (('--checkpoint', 'other.pth'), 'model.backbone.init_cfg: other.pth: no such checkpoint'),
        (('--checkpoint', 'a.pth', 'b.pth'), '--checkpoint: 2 files, but --seeds 1\nName one file'),
        (('model.backbone.init_cfg=None',), 'no part of the model loads a pretraining checkpoint'),
        (('test_evaluator=None',), 'has no test; define test_dataloader, test_evaluator'),
        (('model.backbone.init_cfg.checkpoint=best_*.pth',), 'matches 0 files, expected one'),
        (('load_from=all.pth',), 'load_from=all.pth would be the start of both models'),
        (('train_dataloader.dataset.indices=2',), 'indices is already set'),
        (('--shares', '1.5'), "expected a positive number up to 1, not '1.5'"),
        (('--shares', '0.1', '0.2'), '0.1 and 0.2 of 5 training patients are both 2 patients'),
    ],
)
def test_mistakes_are_named_before_anything_is_run(run, tmp_path, words, message):
    done = run(*words)
    assert done.returncode
    assert message in done.stderr
    assert not list(tmp_path.rglob('step.json'))
