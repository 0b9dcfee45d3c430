"""What is run for each table, and with which settings."""

from pathlib import Path

import pytest
from mmengine.config import Config

from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.reproduction import ALL, BUDGETS, Setup, plan
from echocardmae_mm.utils.config import dataset_parts, to_cfg_options

CONFIGS = Path(__file__).parents[2] / 'configs'


def setup(phantom: bool, budget: str = 'full') -> Setup:
    data = {name: Path('data', name) for name in ('echonet', 'camus', 'hmcqu')}
    return Setup(CONFIGS, BUDGETS[budget], phantom, data, Path('store'))


@pytest.mark.parametrize('phantom', [False, True])
@pytest.mark.parametrize('budget', list(BUDGETS))
def test_every_step_comes_once_and_behind_what_it_needs(phantom, budget):
    steps = plan(ALL, seeds=2, setup=setup(phantom, budget))
    seen: set[str] = set()
    for step in steps:
        assert step.name not in seen
        assert seen.issuperset(step.needs)
        seen.add(step.name)
    pretrainings = [step for step in steps if step.kind == 'pretrain']
    # Tables 5 and 6 have four and three encoders, of which one is the same.
    assert len(pretrainings) == 2 * 6
    assert ('ef_r2plus1d/scratch/seed_0' in {s.name.removeprefix('baselines/') for s in steps}) == (
        not phantom
    )


@pytest.mark.parametrize('phantom', [False, True])
def test_settings_are_those_of_the_config_they_go_to(phantom):
    for step in plan(ALL, seeds=1, setup=setup(phantom, 'small')):
        if step.kind == 'consistency':
            continue
        config = Config.fromfile(step.config)
        apply_cfg_options(config, to_cfg_options(step.settings)[1:])
        assert config.train_cfg.max_epochs == step.settings['train_cfg.max_epochs']
        roots = {part['data_root'] for part in dataset_parts(config)}
        assert roots == {step.settings['data_root']}


def test_an_ablation_changes_the_demo_as_it_changes_the_paper():
    steps = {step.name: step for step in plan(['table5', 'table6'], 1, setup(True))}
    full = steps['pretrain/pretrain_echo/seed_0']
    assert full.config.endswith('phantom/pretrain_phantom.py')
    assert full.settings.keys() == {'data_root', 'packed'}
    blurred = steps['pretrain/blur_mean/seed_0'].settings
    assert blurred['model.data_preprocessor.denoise.method'] == 'mean'
    assert steps['ef_echonet/blur_mean/seed_0'].needs == ('pretrain/blur_mean/seed_0',)


def test_a_part_of_the_epochs_shortens_the_schedule_alike():
    step = next(s for s in plan(['table5'], 1, setup(True, 'small')) if s.kind == 'finetune')
    whole = Config.fromfile(step.config)
    epochs = step.settings['train_cfg.max_epochs']
    assert epochs == round(BUDGETS['small'].epochs * whole.train_cfg.max_epochs)
    assert step.settings['param_scheduler.1.T_max'] == epochs


def test_from_scratch_starts_from_nothing():
    steps = {step.name: step for step in plan(['table1'], 1, setup(False))}
    scratch = steps['ef_echonet/scratch/seed_0']
    assert scratch.settings['model.backbone.init_cfg'] is None
    assert not scratch.needs
