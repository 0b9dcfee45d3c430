"""Settings of a config, taken out of it and put into another."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from mmaction.models import Recognizer3D
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.optim import OptimWrapper

from echocardmae_mm.engine import ProvenanceHook
from echocardmae_mm.models import EFHead
from echocardmae_mm.utils.config import (
    dataset_parts,
    dicts_of,
    overrides,
    require_used,
    settings_of,
    to_cfg_options,
    type_name,
    walk_config,
)
from echocardmae_mm.utils.errors import UserError

CONFIGS = Path(__file__).parents[2] / 'configs'


def merged(base: Config, words: list[str]) -> Config:
    """What --cfg-options makes of these words."""
    settings = dict(word.split('=', 1) for word in words[1:])
    base.merge_from_dict({k: DictAction._parse_iterable(v) for k, v in settings.items()})
    return base


@pytest.mark.parametrize('name', ['release/pretrain_echo.py', 'pretrain_echo_k400.py'])
def test_overrides_make_one_config_out_of_another(name):
    config = Config.fromfile(CONFIGS / name)
    base = Config.fromfile(CONFIGS / 'pretrain_echo.py')
    changes = overrides(config, base)
    assert 0 < len(changes) < 30
    assert settings_of(merged(base, to_cfg_options(changes))) == settings_of(config)


def test_kinds_of_change():
    base = Config(dict(a=1, part=dict(x=1, y=[1, dict(z=2)]), head=dict(w=1)))
    config = Config(dict(a=1, part=dict(x=2, y=[1, dict(z=3, q=True)]), head=None, new=dict(b='c')))
    expected = {'part.x': 2, 'part.y.1.z': 3, 'part.y.1.q': True, 'head': None, 'new.b': 'c'}
    assert overrides(config, base) == expected
    assert settings_of(merged(base, to_cfg_options(expected))) == settings_of(config)
    assert to_cfg_options({}) == []
    assert to_cfg_options({'a': ['x', 2]}) == ['--cfg-options', 'a=[x,2]']


def test_what_no_setting_can_take_away():
    base = Config(dict(part=ConfigDict(x=1, y=2)))
    with pytest.raises(UserError, match='part lacks y of its base'):
        overrides(Config(dict(part=dict(x=1))), base)


def test_walks_outer_parts_first():
    config = Config(dict(a=dict(b=[dict(c=1), 2])))
    keys = [key for key, _ in walk_config(config)]
    assert keys == ['', 'a', 'a.b', 'a.b.0', 'a.b.0.c', 'a.b.1']
    assert [key for key, _ in dicts_of(config)] == ['', 'a', 'a.b.0']


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ("data_root = 'mine'", "no data set of this config uses data_root='mine'\n"),
        ("packed = 'store'", "no data set of this config uses packed='store'\n"),
        ("data_root = 'data/'", "no data set of this config uses data_root='data/'\n"),
        ("data_root = 'k400'\nhost = dict(type='VideoDataset', data_prefix=data_root)", None),
        ('', None),
    ],
)
def test_variables_that_reach_no_data_set_are_refused(tmp_path, line, message):
    """As under the hosts' own tools, which do not pass them on."""
    (tmp_path / 'child.py').write_text(f"_base_ = '{CONFIGS}/pretrain_echo.py'\n{line}\n")
    config = Config.fromfile(tmp_path / 'child.py')
    runner = SimpleNamespace(cfg=config)
    if message is None:
        ProvenanceHook().before_run(runner)
    else:
        with pytest.raises(UserError, match=message) as error:
            ProvenanceHook().before_run(runner)
        assert len(str(error.value).splitlines()) == 2
    for part in dataset_parts(config):
        part.update(data_root='mine', packed='store')
    require_used(config, 'data_root', 'packed')


@pytest.mark.parametrize(
    ('kind', 'name'),
    [
        ('OptimWrapper', 'OptimWrapper'),
        ('mmengine.OptimWrapper', 'OptimWrapper'),
        ('mmengine.optim.OptimWrapper', 'OptimWrapper'),
        (OptimWrapper, 'OptimWrapper'),
        ('mmaction.Recognizer3D', 'mmaction.Recognizer3D'),
        (Recognizer3D, 'mmaction.Recognizer3D'),
        ('echocardmae_mm.models.EFHead', 'echocardmae_mm.EFHead'),
        (EFHead, 'echocardmae_mm.EFHead'),
        (None, ''),
        (5, ''),
    ],
)
def test_a_name_a_path_and_a_class_name_the_same_type(kind, name):
    assert type_name(dict(type=kind)) == name
