from pathlib import Path

import pytest

from echocardmae_mm.reproduction import ALL, BUDGETS, Setup, plan
from echocardmae_mm.reproduction.expected_time import SMALL_MINUTES, expected_seconds

CONFIGS = Path(__file__).parents[2] / 'configs'


def setup(budget: str, phantom: bool = True) -> Setup:
    data = {name: Path(name) for name in ('echonet', 'camus', 'hmcqu')}
    return Setup(CONFIGS, BUDGETS[budget], phantom, data, Path('store'))


def test_every_step_on_phantoms_has_one_and_no_step_on_real_data():
    small = setup('small')
    for step in plan(ALL, seeds=1, setup=small):
        expected = SMALL_MINUTES[step.name.partition('/')[0]] * 60
        assert expected_seconds(step, small) == pytest.approx(expected)
    real = setup('full', phantom=False)
    assert all(expected_seconds(step, real) is None for step in plan(ALL, 1, real))


def test_it_grows_with_epochs_recordings_and_folds():
    full = setup('full')
    times = {
        step.name.partition('/')[0]: expected_seconds(step, full) / 60
        for step in plan(ALL, seeds=1, setup=full)
    }
    assert times['pretrain'] == pytest.approx(SMALL_MINUTES['pretrain'] * 2 * 800 / 400)
    assert times['ef_camus'] == pytest.approx(SMALL_MINUTES['ef_camus'] * 2 * 100 / 80 * 9)
    assert times['figure2'] == pytest.approx(SMALL_MINUTES['figure2'] * 800 / 400)
