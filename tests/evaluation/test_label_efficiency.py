"""Label efficiency on predictions whose errors are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from echocardmae_mm.evaluation.comparison import compare
from echocardmae_mm.evaluation.label_efficiency import label_efficiency, report
from echocardmae_mm.evaluation.label_efficiency_plot import label_efficiency_plot

EF = np.linspace(20, 70, 41)


def ef_table(error: float) -> pd.DataFrame:
    signs = np.resize([1, -1, -1], len(EF))
    names = [f'p{number}' for number in range(len(EF))]
    return pd.DataFrame(
        {'patient': names, 'video': names, 'ef': EF, 'prediction': EF + signs * error}
    )


@pytest.fixture
def results():
    runs = {
        1.0: [(ef_table(4.0), ef_table(5.0)), (ef_table(4.2), ef_table(5.4))],
        0.05: [(ef_table(6.0), ef_table(9.0)), (ef_table(7.0), ef_table(9.5))],
    }
    return label_efficiency(runs, {1.0: 40, 0.05: 2}, n_resamples=100)


def test_errors_are_means_over_seeds_and_differences_are_paired(results):
    assert (results.statistic, results.is_error) == ('mae', True)
    assert (results.recordings, results.patients, results.seeds) == (41, 41, 2)
    assert results.naive == pytest.approx(np.abs(EF - np.median(EF)).mean())
    small, whole = results.shares
    assert (small.share, small.patients) == (0.05, 2)
    assert small.of_pretrained == pytest.approx([6.0, 7.0])
    assert small.of_scratch == pytest.approx([9.0, 9.5])
    assert small.pretrained.estimate == pytest.approx(6.5)
    assert small.difference.estimate == pytest.approx(-2.75)
    assert whole.difference.estimate == pytest.approx(-1.1)
    pairs = [(ef_table(9.0), ef_table(6.0)), (ef_table(9.5), ef_table(7.0))]
    expected = compare(pairs, n_resamples=100)['mae']
    assert small.difference == expected.difference
    assert small.detectable == expected.detectable > 0


def test_the_table_has_a_row_for_each_share(results):
    header, _, small, _ = report(results).splitlines()
    assert header.split('|')[3].strip() == 'pretrained'
    cells = [cell.strip() for cell in small.split('|')[1:-1]]
    assert cells[:2] == ['5 %', '2']
    assert cells[2].startswith('6.50 [')
    assert cells[4].startswith('-2.75 [')


def test_the_plot_shows_both_starts_every_seed_and_the_paired_difference(results, tmp_path):
    figure = label_efficiency_plot(results, 'ef')
    top, bottom = figure.axes
    lines = {line.get_label(): line for line in top.lines if line.get_label()[0] != '_'}
    np.testing.assert_allclose(lines['pretrained'].get_ydata(), [6.5, 4.1])
    np.testing.assert_allclose(lines['from scratch'].get_ydata(), [9.25, 5.2])
    assert lines['constant median'].get_ydata()[0] == pytest.approx(results.naive)
    dots = [path for path in top.collections if isinstance(path, PathCollection)]
    seeds = np.concatenate([path.get_offsets()[:, 1] for path in dots])
    assert sorted(seeds) == pytest.approx([4.0, 4.2, 5.0, 5.4, 6.0, 7.0, 9.0, 9.5])
    np.testing.assert_allclose(bottom.lines[1].get_ydata(), [-2.75, -1.1])
    assert [tick.get_text() for tick in bottom.get_xticklabels()] == ['5 %\n2', '100 %\n40']
    assert bottom.get_xscale() == 'log'
    figure.savefig(tmp_path / 'plot.png')


def test_a_diagnosis_is_compared_by_auroc_with_guessing():
    label = (EF < 45).astype(int)
    names = [f'p{number}' for number in range(len(EF))]
    perfect = pd.DataFrame({'patient': names, 'video': names, 'label': label, 'score': label * 1.0})
    blind = perfect.assign(score=0.5)
    results = label_efficiency({1.0: [(perfect, blind)]}, {1.0: 9}, n_resamples=0)
    assert (results.statistic, results.is_error, results.naive) == ('auroc', False, 0.5)
    assert results.shares[0].difference.estimate == pytest.approx(0.5)
    top, _ = label_efficiency_plot(results, 'mi').axes
    assert 'higher is better' in top.get_ylabel()
    assert report(results).splitlines()[2].split('|')[3:5] == ['      1.000 ', '   0.500 ']
