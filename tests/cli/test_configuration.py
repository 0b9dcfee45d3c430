"""From a command line to a config."""

from pathlib import Path

import pytest
from mmengine.config import Config

from echocardmae_mm.cli import configuration
from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.models import EFHead
from echocardmae_mm.utils.errors import UserError


def test_without_workers_none_persist(monkeypatch):
    monkeypatch.setattr(configuration.BriefRunner, 'from_cfg', lambda config: config)
    loader = dict(num_workers=0, persistent_workers=True)
    config = Config(dict(launcher='none', train_dataloader=loader, val_dataloader=None))
    built = configuration.build_runner(config, 'train_dataloader', 'val_dataloader')
    assert built.train_dataloader.persistent_workers is False


@pytest.mark.parametrize('name', ['phantom/ef_phantom', 'phantom/ef_phantom.py'])
def test_finds_packaged_configs_by_name(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    config = configuration.load_config(name)
    assert config.model.cls_head.type == 'echocardmae_mm.EFHead'
    assert config.work_dir == 'work_dirs/phantom/ef_phantom'


def test_a_peer_comes_before_its_config_for_phantoms():
    found = configuration.find_config('ef_uniformer')
    assert found == configuration.PACKAGED / 'baselines' / 'ef_uniformer.py'


def test_a_file_comes_before_a_packaged_config(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path('pretrain_echo.py').write_text("model = dict(type='Mine')\n")
    assert configuration.load_config('pretrain_echo.py').model.type == 'Mine'
    assert configuration.load_config('pretrain_echo').model.type != 'Mine'


def test_names_the_nearest_packaged_config():
    with pytest.raises(
        UserError, match='pretrain_ehco: no such config; did you mean pretrain_echo'
    ):
        configuration.load_config('pretrain_ehco')


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        (
            'from mmaction.models import Recogniser3D\nmodel = dict(type=Recogniser3D)',
            r'lazy\.py: Failed to import Recogniser3D from mmaction\.models in .*lazy\.py, line 1$',
        ),
        (
            'from echocardmae_mm.recipes import pretraining\nmodel = pretraining()',
            r'line 2: a config in pure Python style cannot call .*\nStart the config with _base_',
        ),
        (
            'from mmengine.config import read_base\nwith read_base():\n    from .none import *',
            r'lazy\.py: .*none\.py not found',
        ),
    ],
)
def test_a_mistake_in_a_config_of_pure_python_is_named(line, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path('lazy.py').write_text(line)
    with pytest.raises(UserError, match=message) as error:
        configuration.load_config('lazy.py')
    assert len(str(error.value).splitlines()) <= 2


def test_a_config_of_pure_python_may_have_a_base(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path('base.py').write_text(
        'from echocardmae_mm.models import EFHead\nmodel = dict(type=EFHead, mean=50, std=9)\n'
    )
    Path('lazy.py').write_text(
        'from mmengine.config import read_base\nwith read_base():\n    from .base import *\n'
        'model.update(std=12)\n'
    )
    config = configuration.load_config('lazy.py')
    assert (config.model.mean, config.model.std) == (50, 12)
    assert config.model.type is EFHead


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        (
            'optim_wrapper = dict(optimizer=dict(lr=dict(a=1)))',
            r'^child\.py: lr is a dict in the child config but is of type .*\nYou may',
        ),
        ('x = _base_.nothing', r"child\.py, line 2: .* has no attribute 'nothing'$"),
        ('x = _base_.model.nothing', r"child\.py, line 2: .* has no attribute 'nothing'$"),
        ("x = _base_.model['nothing']", r"child\.py, line 2: no setting 'nothing'$"),
        ('x = nothing', r"child\.py, line 2: name 'nothing' is not defined$"),
        ('from echocardmae_mm.recipes import pretrianing', r"line 2: cannot import name 'pretria"),
        (
            'from echocardmae_mm.recipes import pretraining; pretraining(img_sise=3)',
            r"line 2: .* got an unexpected keyword argument 'img_sise'$",
        ),
    ],
)
def test_a_mistake_in_a_config_file_names_its_line(line, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    base = configuration.find_config('pretrain_echo')
    Path('child.py').write_text(f"_base_ = '{base}'\n{line}\n")
    with pytest.raises(UserError, match=message) as error:
        configuration.load_config('child.py')
    assert len(str(error.value).splitlines()) <= 2


@pytest.mark.parametrize(('labels', 'metric'), [('aba', 'Diagnosis'), ('abc', 'MultiClass')])
def test_head_and_metric_fit_the_classes_of_a_table(labels, metric, monkeypatch, tmp_path):
    rows = [f'{index}.avi,{label}' for index, label in enumerate(labels)]
    (tmp_path / 'labels.csv').write_text('\n'.join(['path,label', *rows]))
    for index in range(len(labels)):
        (tmp_path / f'{index}.avi').touch()
    monkeypatch.setattr(configuration.BriefRunner, 'from_cfg', lambda config: config)
    config = configuration.load_config('diagnosis_table')
    apply_cfg_options(config, [f'ann_file={tmp_path}/labels.csv'])
    built = configuration.build_runner(config, 'test_dataloader')
    assert built.model.cls_head.num_classes == len(set(labels))
    for evaluator in (built.val_evaluator, built.test_evaluator):
        assert evaluator.type.endswith(f'.{metric}Metric')


def test_a_mistake_in_a_table_ends_before_the_runner_starts(monkeypatch, tmp_path):
    (tmp_path / 'labels.csv').write_text('path,ef\na.avi,5\n')
    monkeypatch.setattr(configuration.BriefRunner, 'from_cfg', None)
    config = configuration.load_config('ef_table')
    apply_cfg_options(config, [f'ann_file={tmp_path}/labels.csv'])
    with pytest.raises(UserError, match=r'line 2: \S+a\.avi does not exist'):
        configuration.build_runner(config, 'train_dataloader')
