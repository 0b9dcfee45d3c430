"""Which patients, steps and weights each run of a label-efficiency study has."""

from __future__ import annotations

import numpy as np
import pytest
from mmengine.config import Config

from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.reproduction.label_efficiency import labelled_runs, patient_order
from echocardmae_mm.utils.config import pretrained_parts
from echocardmae_mm.utils.config_overrides import to_cfg_options
from echocardmae_mm.utils.errors import UserError

#: 200 patients, of whom each third has two recordings.
SAMPLES = [
    {'patient': f'p{number}', 'label': None}
    for number in range(200)
    for _ in range(1 + (number % 3 == 0))
]
CONFIG = """
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='encoder.pth')))
train_dataloader = dict(batch_size=16, drop_last=True, dataset=dict(indices=None))
train_cfg = dict(max_epochs=40, val_interval=1)
"""


def planned(shares: list[float], seeds: int = 1, samples: list = SAMPLES, **options: object):
    config = Config.fromstring(CONFIG, '.py')
    config.merge_from_dict(options)
    checkpoints = [pretrained_parts(config)]
    runs = labelled_runs(config, 'ef.py', options, samples, shares, seeds, checkpoints)
    return {run.step.name: run for run in runs}


def patients_of(run) -> set[str]:
    indices = run.step.settings.get('train_dataloader.dataset.indices', range(len(SAMPLES)))
    return {SAMPLES[index]['patient'] for index in indices}


def test_a_smaller_share_is_part_of_a_larger_one_and_both_starts_have_the_same_patients():
    runs = planned([0.05, 0.25, 1.0], seeds=3)
    assert len(runs) == 3 * 3 * 2
    for seed in range(3):
        small, large, whole = (
            patients_of(runs[f'share_{share}/seed_{seed}/pretrained']) for share in (0.05, 0.25, 1)
        )
        assert (len(small), len(large), len(whole)) == (10, 50, 200)
        assert small < large < whole
        assert small == patients_of(runs[f'share_0.05/seed_{seed}/scratch'])
        assert runs[f'share_1/seed_{seed}/scratch'].step.seed == seed
    assert patients_of(runs['share_0.05/seed_0/scratch']) != patients_of(
        runs['share_0.05/seed_1/scratch']
    )


def test_all_recordings_of_a_patient_are_labelled_together():
    run = planned([0.1])['share_0.1/seed_0/scratch']
    chosen = patients_of(run)
    assert run.recordings == sum(sample['patient'] in chosen for sample in SAMPLES)
    assert 20 == run.patients == len(chosen) < run.recordings


def test_a_draw_depends_on_the_patients_only():
    patients = [sample['patient'] for sample in SAMPLES]
    order = patient_order(patients, [None] * len(patients), seed=4)
    assert sorted(order) == sorted(set(patients))
    assert patient_order(patients[::-1], [None] * len(patients), seed=4) == order


def test_every_class_is_among_the_first_patients():
    labels = [int(number == 7) for number in range(50)]
    patients = [f'p{number}' for number in range(50)]
    for seed in range(5):
        order = patient_order(patients, labels, seed)
        assert {labels[patients.index(patient)] for patient in order[:2]} == {0, 1}
        assert sorted(order) == sorted(patients)


@pytest.mark.parametrize('share', [0.02, 0.1, 0.25, 0.5, 1.0])
def test_a_share_takes_the_square_root_of_the_steps(share):
    run = planned([share])[f'share_{share:g}/seed_0/scratch']
    whole = 40 * (len(SAMPLES) // 16)
    wanted = np.sqrt(run.recordings / len(SAMPLES)) * whole
    batch_size = run.step.settings.get('train_dataloader.batch_size', 16)
    assert run.iterations == run.epochs * (run.recordings // batch_size)
    assert abs(run.iterations - wanted) <= run.recordings // batch_size / 2
    assert run.step.settings.get('train_cfg.max_epochs', 40) == run.epochs


def test_a_batch_is_no_larger_than_the_labelled_set():
    run = planned([0.01])['share_0.01/seed_0/scratch']
    assert run.patients == 2
    assert run.step.settings['train_dataloader.batch_size'] == run.recordings
    assert 'train_dataloader.batch_size' not in planned([1])['share_1/seed_0/scratch'].step.settings


def test_the_options_of_the_checkpoint_do_not_reach_the_random_start():
    key = 'model.backbone.init_cfg.checkpoint'
    runs = planned([1], **{key: 'other.pth', 'train_dataloader.batch_size': 8})
    starts = {}
    for start in ('pretrained', 'scratch'):
        config = Config.fromstring(CONFIG, '.py')
        settings = runs[f'share_1/seed_0/{start}'].step.settings
        config.merge_from_dict(settings)
        assert config.train_dataloader.batch_size == 8
        starts[start] = pretrained_parts(config)
    assert starts == {'pretrained': {'model.backbone.init_cfg': 'other.pth'}, 'scratch': {}}


def test_each_seed_starts_from_its_own_checkpoint():
    key = 'model.backbone.init_cfg'
    config = Config.fromstring(CONFIG, '.py')
    files = [{key: f'{seed}.pth'} for seed in range(3)]
    for run in labelled_runs(config, 'ef.py', {}, SAMPLES, [0.1, 1], 3, files):
        settings = run.step.settings
        if run.start == 'pretrained':
            assert settings[f'{key}.checkpoint'] == f'{run.step.seed}.pth'
        else:
            assert settings[key] is None


def test_shares_with_the_same_patients_are_refused():
    with pytest.raises(UserError, match='200 training patients are both 2 patients'):
        planned([0.001, 0.01, 1])


@pytest.mark.parametrize('name', ['ef_echonet', 'seg_echonet', 'mi_hmcqu', 'ef_camus', 'ef_table'])
def test_the_settings_fit_the_configs(name):
    path = f'configs/{name}.py'
    samples = [{'patient': str(number), 'label': None} for number in range(64)]
    whole = Config.fromfile(path)
    checkpoints = [pretrained_parts(whole)]
    for run in labelled_runs(whole, path, {}, samples, [0.1, 1], 1, checkpoints):
        config = Config.fromfile(path)
        apply_cfg_options(config, to_cfg_options(run.step.settings)[1:])
        assert bool(pretrained_parts(config)) == (run.start == 'pretrained')
        assert config.train_cfg.max_epochs == run.epochs
        if run.share < 1:
            assert len(config.train_dataloader.dataset.indices) == 6
