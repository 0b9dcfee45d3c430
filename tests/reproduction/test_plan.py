"""The plan has the runs and settings of each table."""

from pathlib import Path

import pytest
from mmengine.config import Config

from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.reproduction import ALL, BUDGETS, TABLES, Setup, plan, results_of
from echocardmae_mm.utils.config import CHECKPOINT_INITS, dataset_parts, dicts_of
from echocardmae_mm.utils.config_overrides import to_cfg_options

CONFIGS = Path(__file__).parents[2] / 'configs'
PUBLISHED = (
    'checkpoints/sam_vit_b.pth',
    'checkpoints/uniformer_small_k400_16x8.pth',
    'torchvision://resnet50',
)
ROWS_WITHOUT_EXPERIMENTS = {'CardiacNet', 'SAMUS', 'MemSAM'}


def setup(phantom: bool, budget: str = 'full') -> Setup:
    return Setup(CONFIGS, BUDGETS[budget], phantom, Path('data'), Path('store'))


@pytest.mark.parametrize('phantom', [False, True])
@pytest.mark.parametrize('budget', list(BUDGETS))
def test_every_step_comes_once_and_behind_what_it_needs(phantom, budget):
    steps = plan(ALL, seeds=2, setup=setup(phantom, budget))
    seen: set[str] = set()
    for step in steps:
        assert step.name not in seen
        assert seen.issuperset(step.needs)
        seen.add(step.name)
    assert all(seen.issuperset(results_of(name, 2)) for name in ALL)
    pretrainings = [step for step in steps if step.rule == 'pretraining']
    # Tables 5 and 6 have four and three encoders, of which one is the same; Table 1 adds VideoMAE,
    # and the latent targets two more.
    assert len(pretrainings) == 2 * 9


@pytest.mark.parametrize('phantom', [False, True])
def test_settings_are_those_of_the_config_they_go_to(phantom):
    for step in plan(ALL, seeds=1, setup=setup(phantom, 'small')):
        if step.rule == 'clip_consistency':
            continue
        config = Config.fromfile(step.config)
        epochs = step.settings.get('train_cfg.max_epochs', config.train_cfg.max_epochs)
        checkpoints = dict.fromkeys(step.starts, 'start.pth')
        apply_cfg_options(config, to_cfg_options({**step.settings, **checkpoints})[1:])
        assert config.train_cfg.max_epochs == epochs
        roots = {part['data_root'] for part in dataset_parts(config)}
        assert roots == {step.settings['data_root']}
        # Nothing starts from a checkpoint that no step writes, except from published weights.
        inits = [part for _, part in dicts_of(config) if part.get('type') in CHECKPOINT_INITS]
        loaded = {init.get('checkpoint') for init in inits}
        loaded |= {config.load_from} - {None}
        assert loaded <= ({'start.pth'} if phantom else {'start.pth', *PUBLISHED})
        assert bool(step.starts) == bool(step.needs)


def test_every_row_is_run_or_says_why_not():
    rows = [row for table in TABLES.values() for row in table.rows]
    without = {row.method: row.note for row in rows if not row.experiments}
    assert without.keys() <= ROWS_WITHOUT_EXPERIMENTS
    assert without['CardiacNet'].startswith('not reproducible: ')


def test_an_ablation_changes_the_demo_as_it_changes_the_paper():
    steps = {step.name: step for step in plan(['table5', 'table6'], 1, setup(True))}
    full = steps['pretrain/pretrain_echo/seed_0']
    assert full.config.endswith('phantom/pretrain_phantom.py')
    assert full.settings.keys() == {'data_root', 'packed'}
    blurred = steps['pretrain/blur_mean/seed_0'].settings
    assert blurred['model.data_preprocessor.denoise.method'] == 'mean'
    assert steps['ef_echonet/blur_mean/seed_0'].needs == ('pretrain/blur_mean/seed_0',)


@pytest.mark.parametrize('phantom', [False, True])
def test_a_teacher_is_pretrained_before_its_student(phantom):
    steps = {step.name: step for step in plan(['latents'], 1, setup(phantom))}
    teacher, student = 'pretrain/pretrain_echo/seed_0', 'pretrain/pretrain_echo_latent/seed_0'
    assert steps[student].needs == (teacher,)
    assert steps[student].starts == ('model.latent_target.init_cfg.checkpoint',)
    assert steps['ef_echonet/pretrain_echo_latent/seed_0'].needs == (student,)


def test_twice_the_epochs_are_twice_those_of_the_demo():
    steps = {step.name: step for step in plan(['latents'], 1, setup(True, 'medium'))}
    epochs = {
        name: steps[f'pretrain/{name}/seed_0'].settings['train_cfg.max_epochs']
        for name in ('pretrain_echo', 'pretrain_echo_latent')
    }
    assert epochs == {'pretrain_echo': 12, 'pretrain_echo_latent': 12}
    twice = steps['pretrain/epochs_3200/seed_0']
    config = Config.fromfile(twice.config)
    assert twice.settings.get('train_cfg.max_epochs', config.train_cfg.max_epochs) == 24


def test_a_small_budget_shortens_a_training():
    step = next(s for s in plan(['table5'], 1, setup(True, 'small')) if s.rule == 'finetuning')
    whole = Config.fromfile(step.config)
    expected = round(BUDGETS['small'].epochs * whole.train_cfg.max_epochs)
    assert step.settings['train_cfg.max_epochs'] == expected


def test_from_scratch_starts_from_nothing():
    steps = {step.name: step for step in plan(['table1'], 1, setup(False))}
    scratch = steps['ef_echonet/scratch/seed_0']
    assert scratch.settings['model.backbone.init_cfg'] is None
    assert not scratch.needs


@pytest.mark.parametrize('phantom', [False, True])
def test_peers_start_from_published_weights_on_real_data_only(phantom):
    steps = {step.name: step for step in plan(['table1', 'table3'], 1, setup(phantom))}
    starts = {
        'ef_r2plus1d': ('backbone.weights', 'KINETICS400_V1'),
        'ef_echomen_stage1': ('backbone.weights', 'KINETICS400_V1'),
        'ef_uniformer_rnc': ('backbone.init_cfg.checkpoint', PUBLISHED[1]),
        'seg_deeplabv3': ('backbone.init_cfg.checkpoint', PUBLISHED[2]),
        'seg_memsam_no_click': ('memory.resnet_weights', 'IMAGENET1K_V1'),
    }
    for name, (key, value) in starts.items():
        settings = steps[f'baselines/{name}/initial/seed_0'].settings
        assert settings.get(f'model.{key}') == (None if phantom else value)
    second = steps['baselines/ef_echomen/ef_echomen_stage1/seed_0'].settings
    assert 'model.backbone.weights' not in second


@pytest.mark.parametrize('phantom', [False, True])
def test_stages_start_from_stages(phantom):
    steps = {step.name: step for step in plan(['table1', 'table2'], 1, setup(phantom))}
    first = 'baselines/ef_uniformer_rnc/initial/seed_0'
    assert not steps[first].needs
    second = steps['baselines/ef_uniformer_rnc_stage2/ef_uniformer_rnc/seed_0']
    assert (second.needs, second.starts) == ((first,), ('load_from',))
    camus = steps['baselines/ef_camus_uniformer_rnc/ef_uniformer_rnc/seed_0/fold_9']
    assert (camus.needs, camus.starts) == ((first,), ('model.backbone.init_cfg.checkpoint',))


def test_folds_are_steps_which_the_cross_validation_needs():
    steps = {step.name: step for step in plan(['table4'], 1, setup(True, 'small'))}
    pooled = steps['mi_hmcqu/pretrain_echo/seed_0']
    folds = [steps[f'{pooled.name}/fold_{fold}'] for fold in range(2)]
    start = 'pretrain/pretrain_echo/seed_0'
    assert pooled.needs == (start, *(fold.name for fold in folds))
    for number, fold in enumerate(folds):
        assert (fold.rule, fold.fold, fold.folds) == ('fold', number, 2)
        assert (fold.needs, fold.settings) == ((start,), pooled.settings)
    whole = {step.name for step in plan(['table4'], 1, setup(True))}
    assert {f'{pooled.name}/fold_{fold}' for fold in range(5)} <= whole
    assert f'{pooled.name}/fold_5' not in whole
