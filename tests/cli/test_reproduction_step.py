"""The jobs of the workflow are commands of this package."""

from __future__ import annotations

from pathlib import Path

import pytest

from echocardmae_mm.cli.reproduce import parse_args, setup_of
from echocardmae_mm.cli.reproduction_step import command, main
from echocardmae_mm.cli.workflow import PLAN, read_plan, write_plan
from echocardmae_mm.reproduction import Plan, plan


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """The small plan of Table 4 on phantoms, as the workflow reads it."""
    monkeypatch.chdir(tmp_path)
    args = parse_args(['table4', '--phantom', '--budget', 'small', '--amp'])
    setup = setup_of(args)
    steps = {step.name: step for step in plan(args.tables, args.seeds, setup)}
    written = Plan(Path('root'), tmp_path / 'results', args.seeds, args.amp, setup, steps)
    write_plan(tmp_path / PLAN, written, {})
    read = read_plan(str(tmp_path / PLAN))
    assert read.setup == setup
    for step in steps.values():
        folder = Path('root', step.name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'last_checkpoint').write_text('/moved/epoch_9.pth')
    return read


def test_a_plan_is_read_as_it_was_written(planned, tmp_path):
    steps = plan(['table4'], 1, planned.setup)
    assert [tuple(step.needs) for step in planned.steps.values()] == [s.needs for s in steps]
    assert planned.results == tmp_path / 'results'
    assert planned.amp


def test_a_fold_starts_from_the_best_checkpoint_and_the_pool_has_the_same_options(planned):
    name = 'baselines/mi_uniformer/ef_uniformer/seed_0'
    Path('root/baselines/ef_uniformer/initial/seed_0/best_ef_mae_epoch_5.pth').touch()
    fold = command(planned, 'fold', planned.steps[f'{name}/fold_1'])
    pool = command(planned, 'pool', planned.steps[name])
    start = 'root/baselines/ef_uniformer/initial/seed_0/best_ef_mae_epoch_5.pth'
    assert f'model.backbone.init_cfg.checkpoint={start}' in fold
    assert [word for word in fold if word not in ('--fold', '1')] == pool
    assert pool[2:9] == ['--work-dir', f'root/{name}', '--seed', '0', '--amp', '--folds', '2']


def test_a_test_takes_the_best_checkpoint(planned):
    step = planned.steps['baselines/ef_uniformer/initial/seed_0']
    best = Path('root', step.name, 'best_ef_mae_epoch_5.pth')
    best.touch()
    assert command(planned, 'test', step)[2] == str(best)
    trained = command(planned, 'train', step)
    assert trained[0] == 'train'
    assert {'--resume', '--amp'} <= {*trained}


def test_an_error_is_told_with_its_log(planned, tmp_path, capfd):
    log = tmp_path / 'root' / 'table.log'
    with pytest.raises(SystemExit, match='1'):
        main([str(tmp_path / PLAN), 'table', 'table4', str(log)])
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == 'table4: table started'
    assert lines[1].startswith('error: table4, table: ')
    assert lines[2:] == ['(log: root/table.log)']
    assert log.read_text()
