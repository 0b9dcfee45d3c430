"""The command ``compare``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from echocardmae_mm.cli.compare import main


@pytest.fixture
def compare(monkeypatch, tmp_path, capsys):
    """``compare(*arguments)`` runs the command in a folder of its own; returns its output."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    ef = generator.normal(55, 12, 60)
    for name, noise in (('a', 9), ('b', 4)):
        pd.DataFrame(
            {
                'patient': [f'p{i}' for i in range(60)],
                'video': [f'{i}.avi' for i in range(60)],
                'ef': ef,
                'prediction': ef + generator.normal(0, noise, 60),
            }
        ).to_csv(f'{name}.csv', index=False)

    def run(*arguments):
        main(arguments)
        return capsys.readouterr().out

    return run


def test_says_how_they_differ_and_what_could_be_seen(compare, tmp_path):
    printed = compare('a.csv', 'b.csv', '--n-resamples', '300', '--out', 'c.json')
    assert '60 rows of 60 patients, 1 run of each' in printed
    row = next(line for line in printed.splitlines() if line.startswith('| MAE'))
    result = json.loads((tmp_path / 'c.json').read_text())
    mae = result['differences']['mae']
    assert f'{mae["difference"]["estimate"]:+.3f}' in row
    assert mae['difference']['high'] < 0 < mae['detectable']
    assert (result['first'], result['n_resamples'], result['seed']) == (['a.csv'], 300, 0)


def test_only_a_comparison_is_overwritten(compare, tmp_path):
    options = ('--n-resamples', '100', '--out')
    before = (tmp_path / 'a.csv').read_bytes()
    with pytest.raises(SystemExit, match=r'a\.csv exists and is no comparison; choose another'):
        compare('a.csv', 'b.csv', *options, 'a.csv')
    assert (tmp_path / 'a.csv').read_bytes() == before
    compare('a.csv', 'b.csv', *options, 'c.json')
    compare('a.csv', 'b.csv', *options, 'c.json')


def test_a_model_that_saw_clicks_does_not_compare_with_one_that_did_not(compare):
    options = ('--n-resamples', '100')
    assert 'click' not in compare('a.csv', 'b.csv', *options)
    pd.read_csv('b.csv').assign(clicked=True).to_csv('b.csv', index=False)
    assert 'Only some of these models saw a click' in compare('a.csv', 'b.csv', *options)


def test_runs_are_paired_in_their_order(compare):
    printed = compare('a.csv', 'b.csv', '--vs', 'b.csv', 'a.csv', '--n-resamples', '100')
    assert '2 runs of each' in printed
    row = next(line for line in printed.splitlines() if line.startswith('| MAE'))
    assert row.split('|')[4].strip() == '+0.000'


def test_runs_of_a_diagnosis_are_compared(compare):
    generator = np.random.default_rng(1)
    label = np.arange(60) % 2
    for name, noise in (('c', 0.6), ('d', 0.6), ('e', 0.1), ('f', 0.1)):
        table = pd.read_csv('a.csv')[['patient', 'video']]
        score = np.clip(generator.normal(0.2 + 0.6 * label, noise), 0, 1)
        table.assign(label=label, score=score).to_csv(f'{name}.csv', index=False)
    arguments = ('c.csv', 'd.csv', '--vs', 'e.csv', 'f.csv', '--n-resamples', '100')
    printed = compare(*arguments, '--out', 'c.json')
    assert '2 runs of each' in printed
    result = json.loads(Path('c.json').read_text())['differences']
    row = next(line for line in printed.splitlines() if line.startswith('| accuracy (%)'))
    right = [
        100 * ((table['score'] >= 0.5) == table['label']).mean()
        for table in (pd.read_csv(f'{name}.csv') for name in 'cdef')
    ]
    difference = np.mean(right[2:]) - np.mean(right[:2])
    assert result['accuracy']['difference']['estimate'] == pytest.approx(difference)
    assert f'{difference:+.3f}' in row
    with pytest.raises(SystemExit) as end:
        compare('c.csv', 'a.csv')
    assert str(end.value.code).startswith('error: the tables belong to different tasks')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('a.csv', 'b.csv', 'a.csv'), 'error: 1 tables of A and 2 of B'),
        (('a.csv', 'b.csv', '--vs', 'a.csv'), 'error: 2 tables of A and 1 of B'),
        (
            ('a.csv', 'text.csv'),
            'error: text.csv: 1 rows, such as 0.avi, lack one of',
        ),
        (('a.csv', 'empty.csv'), 'error: empty.csv: '),
        (('a.csv', 'none.csv'), 'error: none.csv: no such file'),
        (('a.csv', 'other.csv'), 'error: the tables contain different recordings'),
    ],
)
def test_a_mistake_costs_two_lines_at_most(compare, arguments, message):
    table = pd.read_csv('a.csv')
    table.iloc[:30].to_csv('other.csv', index=False)
    table.iloc[:0].to_csv('empty.csv', index=False)
    Path('text.csv').write_text(Path('b.csv').read_text().replace('0.avi,', '0.avi,no', 1))
    with pytest.raises(SystemExit) as end:
        compare(*arguments)
    assert str(end.value.code).startswith(message)
    assert len(str(end.value.code).splitlines()) <= 2
