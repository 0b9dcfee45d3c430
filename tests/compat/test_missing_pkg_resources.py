import inspect
from importlib import metadata
from pathlib import Path

import mmaction
import pytest
from mmengine.utils import package_utils

from echocardmae_mm.compat.missing_pkg_resources import (
    get_installed_path,
    is_installed,
    package2module,
)

GONE = "import sys; sys.modules['pkg_resources'] = None\n"
LOOK_UP = "from mmengine.utils import get_installed_path; print(get_installed_path('mmaction2'))"


@pytest.mark.skipif(
    'pkg_resources' not in inspect.getsource(package_utils), reason='onedl-mmengine has no fault'
)
def test_fails_without(fresh_python):
    run = fresh_python(GONE + LOOK_UP)
    assert run.returncode == 1
    assert 'pkg_resources' in run.stderr


@pytest.mark.parametrize(
    'imports',
    ['import echocardmae_mm\n', 'import mmengine\nimport echocardmae_mm\n'],
    ids=['before mmengine', 'after mmengine'],
)
def test_inheriting_from_a_host_works_without_pkg_resources(fresh_python, tmp_path, imports):
    (tmp_path / 'of_host.py').write_text("_base_ = 'mmaction::_base_/default_runtime.py'\n")
    run = fresh_python(
        GONE
        + imports
        + LOOK_UP
        + "\nfrom mmengine import Config; print(Config.fromfile('of_host.py').default_scope)"
    )
    assert run.stdout.split() == [mmaction.__path__[0], 'mmaction'], run.stderr


def test_the_original_stays_where_it_works(fresh_python):
    pytest.importorskip('pkg_resources')
    run = fresh_python(
        'import echocardmae_mm, mmengine.utils as u; print(u.is_installed.__module__)'
    )
    assert run.stdout.split() == ['mmengine.utils.package_utils'], run.stderr


def test_looks_up_by_distribution_and_by_module():
    folder = str(Path(mmaction.__file__).parent)
    assert get_installed_path('mmaction2') == get_installed_path('mmaction') == folder
    assert package2module('mmsegmentation') == 'mmseg'
    assert is_installed('mmaction2')
    assert is_installed('mmaction')
    assert not is_installed('no_such_package')
    with pytest.raises(metadata.PackageNotFoundError):
        get_installed_path('no_such_package')
