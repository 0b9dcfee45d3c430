"""Configs of the package as bases, by the name of the package."""

from pathlib import Path

import pytest
from mmengine.config import Config

import echocardmae_mm

PACKAGED = Path(echocardmae_mm.__file__).parent / '.mim' / 'configs'


@pytest.fixture
def child(tmp_path):
    """``child(base)`` loads a config with this base."""

    def load(base):
        (tmp_path / 'child.py').write_text(f"_base_ = '{base}'\nmine = 1\n")
        return Config.fromfile(tmp_path / 'child.py')

    return load


@pytest.mark.skipif(not PACKAGED.is_dir(), reason='not installed')
@pytest.mark.parametrize('name', ['pretrain_echo.py', 'phantom/ef_phantom.py'])
def test_a_config_of_the_package_is_a_base(child, name):
    config, base = child(f'echocardmae_mm::{name}'), Config.fromfile(PACKAGED / name)
    assert config.pop('mine') == 1
    assert config.to_dict() == base.to_dict()


def test_a_missing_config_and_other_packages(child):
    with pytest.raises(FileNotFoundError, match=r'configs/nothing\.py'):
        child('echocardmae_mm::nothing.py')
    assert child('mmaction::_base_/default_runtime.py').default_scope == 'mmaction'
