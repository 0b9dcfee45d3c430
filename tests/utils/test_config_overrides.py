"""Settings of a config, taken out of it and put into another."""

from pathlib import Path

import pytest
from mmengine.config import Config, ConfigDict, DictAction

from echocardmae_mm.utils.config import settings_of
from echocardmae_mm.utils.config_overrides import overrides, to_cfg_options
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
