"""A table is written from real tables of predictions, beside the paper's figures."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from echocardmae_mm.reproduction import (
    BUDGETS,
    TABLES,
    Plan,
    Setup,
    plan,
    runs_of,
    table_report,
    write_table,
)
from echocardmae_mm.reproduction.paper_tables import Row, Table
from echocardmae_mm.reproduction.table_report import STEP_METADATA

CONFIGS = Path(__file__).parents[2] / 'configs'
SEEDS = 2


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(table_report, '_RESAMPLES', 100)


def setup(phantom: bool) -> Setup:
    return Setup(CONFIGS, BUDGETS['small'], phantom, Path('data'), None)


def planned(name: str, folder: Path, setup: Setup) -> Plan:
    steps = {step.name: step for step in plan([name], SEEDS, setup)}
    return Plan(folder, folder / 'out', SEEDS, False, setup, steps)


def run(folder: Path, table: pd.DataFrame) -> None:
    folder.mkdir(parents=True)
    table.to_csv(folder / 'predictions.csv', index=False)
    note = {'commit': 'c0ffee' * 7, 'seconds': 90.0, 'finished': True}
    (folder / STEP_METADATA).write_text(json.dumps(note))


def efs(noise: float, seed: int) -> pd.DataFrame:
    ef = np.random.default_rng(0).normal(55, 12, 60)
    error = np.random.default_rng([seed, int(10 * noise)]).normal(0, noise, 60)
    names = [f'{i}' for i in range(60)]
    quality = ['Poor' if i < 12 else 'Good' for i in range(60)]
    return pd.DataFrame(
        {'patient': names, 'video': names, 'quality': quality, 'ef': ef, 'prediction': ef + error}
    )


def cells(path: Path, method: str) -> list[str]:
    line = next(line for line in path.read_text().splitlines() if line.startswith(f'| {method} '))
    return [cell.strip() for cell in line.strip('|').split('|')]


@pytest.mark.parametrize(
    ('method', 'phantom', 'expected'),
    [
        ('SAMUS', False, 'checkpoints/sam_vit_b.pth'),
        ('SAMUS', True, 'random'),
        ('MemSAM', False, 'checkpoints/sam_vit_b.pth, IMAGENET1K_V1'),
        ('MemSAM', True, 'random'),
    ],
)
def test_initial_weights_are_named(method, phantom, expected):
    (row,) = (row for row in TABLES['table3'].rows if row.method == method)
    steps = {step.name: step for step in plan(['table3'], 1, setup(phantom))}
    for experiment in row.experiments:
        step = steps[runs_of(experiment, 1)[0]]
        assert table_report._start(experiment, step) == expected


@pytest.mark.parametrize('phantom', [False, True])
def test_an_ablation_beside_the_paper_and_against_the_full_model(tmp_path, phantom):
    errors = {}
    for row, noise in zip(TABLES['table5'].rows, (9.0, 6.0, 6.0, 6.0)):
        tables = [efs(noise, seed) for seed in range(SEEDS)]
        for folder, table in zip(runs_of(row.experiments[0], SEEDS), tables):
            run(tmp_path / folder, table)
        errors[row.method] = np.mean([(t['prediction'] - t['ef']).abs().mean() for t in tables])
    path = write_table(planned('table5', tmp_path, setup(phantom)), 'table5')
    text = path.read_text()
    assert ('not comparable with the paper' in text) == phantom
    assert ('MAE, paper' in text) != phantom
    assert '2 seeds, 0.5 of the epochs, 2 folds' in text
    for method, error in errors.items():
        row = cells(path, method)
        assert row[1 if phantom else 2].startswith(f'{error:.2f} [')
        if not phantom:
            assert row[1] == f'{dict(zip(errors, (3.8894, 3.8205, 3.7991, 3.7768)))[method]:.2f}'
        assert row[-2] == '3 min'
    full = 'key area, denoising, alignment'
    difference = cells(path, 'none of the three')[2 if phantom else 3]
    assert difference.startswith(f'{errors["none of the three"] - errors[full]:+.2f} [')
    assert cells(path, full)[2 if phantom else 3] == ''


def test_folds_are_given_pooled_and_as_means(tmp_path):
    tables = [efs(6.0, seed) for seed in range(SEEDS)]
    folders = [run for row in TABLES['table2'].rows for run in runs_of(row.experiments[0], SEEDS)]
    for index, folder in enumerate(folders):
        run(tmp_path / folder, tables[index % SEEDS])
        run(tmp_path / folder / 'fold_0', tables[index % SEEDS])
        folds = {f'quality_poor/{name}': {'mean': 1.0 + index % SEEDS} for name in ('r', 'mae')}
        folds |= {f'quality_good_or_medium/{name}': {'mean': 3.0} for name in ('r', 'mae')}
        (tmp_path / folder / 'cross_validation.json').write_text(json.dumps({'folds': folds}))
    path = write_table(planned('table2', tmp_path, setup(False)), 'table2')
    poor = [t[t['quality'] == 'Poor'] for t in tables]
    error = np.mean([(t['prediction'] - t['ef']).abs().mean() for t in poor])
    ours = cells(path, 'EchoCardMAE')
    assert ours[7] == '5.41'
    assert ours[8].startswith(f'{error:.2f} [')
    assert cells(path, 'EchoCardMAE, mean over folds')[8] == '1.50'
    assert ours[-2] == '6 min'  # two seeds, each with a fold


def test_a_row_that_is_not_run_says_why(tmp_path):
    table1 = TABLES['table1']
    known = next(row for row in table1.rows if row.method == 'CardiacNet')
    table = Table('T', table1.columns, (known, Row('Other', (1.0, None, None))))
    text = table_report._table(table, planned('table1', tmp_path, setup(False)))
    header, _, cardiacnet, other = (
        [cell.strip() for cell in line.strip('|').split('|')] for line in text.splitlines()
    )
    assert cardiacnet[:3] == ['CardiacNet', '3.83', '']
    assert cardiacnet[-1].startswith('not reproducible: no code for ejection fraction is public')
    assert (other[-1], len(cardiacnet)) == ('not in this repository', len(header))


def masks(seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    names = [f'{i // 2}' for i in range(24)]
    true = np.random.default_rng(0).integers(900, 1100, 24)
    predicted = generator.integers(900, 1100, 24)
    overlap = np.minimum(true, predicted) - 50
    dice = 2 * overlap / (true + predicted)
    counts = {'true': true, 'predicted': predicted, 'overlap': overlap}
    counts |= {'dice': dice, 'iou': dice / (2 - dice)}
    structure = {f'left_ventricle/{name}': values for name, values in counts.items()}
    return pd.DataFrame(
        {'patient': names, 'video': names, 'instant': ['ED', 'ES'] * 12, **structure}
    )


def diagnoses(seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    names = [f'{i}' for i in range(30)]
    label = np.arange(30) % 3 > 0
    score = np.clip(0.25 + 0.4 * label + generator.normal(0, 0.2, 30), 0, 1)
    return pd.DataFrame({'patient': names, 'video': names, 'label': label * 1, 'score': score})


@pytest.mark.parametrize('phantom', [False, True])
@pytest.mark.parametrize('name', TABLES)
def test_every_table_can_be_written(tmp_path, name, phantom):
    folds = dict.fromkeys(c.over_folds for c in TABLES[name].columns)
    for step in plan([name], SEEDS, setup(phantom)):
        if step.rule in ('pretraining', 'fold'):
            continue
        seed = step.seed
        table = masks(seed) if '/seg_' in step.config else efs(6.0, seed)
        run(tmp_path / step.name, diagnoses(seed) if '/mi_' in step.config else table)
        summary = {'folds': {name: {'mean': None} for name in folds}}
        (tmp_path / step.name / 'cross_validation.json').write_text(json.dumps(summary))
    path = write_table(planned(name, tmp_path, setup(phantom)), name)
    for row in TABLES[name].rows:
        if row.printed and not phantom:
            printed = zip(row.printed, TABLES[name].columns)
            expected = ['' if x is None else f'{x:.{c.digits}f}' for x, c in printed]
            assert cells(path, row.method)[1 : 2 * len(expected) : 2] == expected
    written = path.read_text()
    assert all(f'| {row.method} ' in written for row in TABLES[name].rows)


def test_clip_consistency_with_and_without_alignment(tmp_path):
    for seed in range(SEEDS):
        for name, spread in (('without', 6.0), ('with', 2.0)):
            generator = np.random.default_rng([seed, int(spread)])
            table = efs(3.0, seed).loc[lambda t: t.index.repeat(5)].reset_index(drop=True)
            table['prediction'] += generator.normal(0, spread, len(table))
            folder = tmp_path / f'figure2/seed_{seed}/{name}'
            folder.mkdir(parents=True)
            table.to_csv(folder / 'clips.csv', index=False)
        (tmp_path / f'figure2/seed_{seed}/clip_consistency.png').write_bytes(bytes([seed]))
    path = write_table(planned('figure2', tmp_path, setup(True)), 'figure2')
    sd = cells(path, 'sd within a recording (points)')
    assert float(sd[1]) == pytest.approx(6.0, rel=0.1)
    assert float(sd[2]) == pytest.approx(2.0, rel=0.1)
    assert sd[3].startswith('-')
    assert '300 clips' in path.read_text()
    assert (tmp_path / 'out' / 'figure2.png').read_bytes() == bytes([0])
