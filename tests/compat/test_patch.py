import sys
from types import ModuleType

import pytest

from echocardmae_mm import PATCHES
from echocardmae_mm.compat.patch import Patch, RepairFinder, apply_patches, package_folder

HEAVY = {'torch', 'numpy', 'mmengine', 'mmcv', 'mmaction', 'mmseg', 'cv2', 'matplotlib', 'scipy'}


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / 'ailing'
    folder.mkdir()
    (folder / '__init__.py').write_text('')
    (folder / 'part.py').write_text('value = 1\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, 'meta_path', list(sys.meta_path))
    yield folder
    for name in [name for name in sys.modules if name.split('.')[0] == 'ailing']:
        del sys.modules[name]


def doubling(needed=True, modules=('ailing.part',)):
    calls = []

    def apply(module, execute):
        calls.append(module.__name__)
        execute()
        module.value = getattr(module, 'value', 0) * 2

    return Patch('doubles', 'https://example.org', modules, lambda: needed, apply), calls


def test_repairs_when_the_module_is_imported(package):
    repair, calls = doubling()
    apply_patches([repair])
    assert calls == []
    import ailing.part

    assert ailing.part.value == 2
    assert type(ailing.part.__loader__).__name__ == 'SourceFileLoader'
    assert ailing.part.__spec__.loader is ailing.part.__loader__


def test_repairs_what_is_imported_already(package):
    import ailing.part

    repair, calls = doubling()
    apply_patches([repair])
    assert calls == ['ailing.part']
    assert ailing.part.value == 2


def test_leaves_a_sound_package_alone(package):
    repair, calls = doubling(needed=False)
    apply_patches([repair])
    import ailing.part

    assert (ailing.part.value, calls) == (1, [])


def test_creates_a_module_that_is_lacking(package):
    repair, _ = doubling(modules=('ailing.lost', 'ailing.lost.deeper'))
    apply_patches([repair])
    import ailing.lost.deeper

    assert ailing.lost.deeper.value == 0
    with pytest.raises(ModuleNotFoundError):
        __import__('ailing.lost.unknown')


def test_other_modules_are_none_of_its_business():
    assert RepairFinder({}).find_spec('json', None) is None


def test_folder_of_a_package_without_importing_it(package):
    assert package_folder('ailing') == package
    assert package_folder('no_such_package') is None
    assert 'ailing' not in sys.modules


def test_each_repair_names_its_issue():
    for repair in PATCHES:
        assert repair.issue.startswith('https://github.com/open-mmlab/')
        assert repair.modules
        assert '\n' not in repair.name
        assert isinstance(repair.active, bool)
        assert all(isinstance(sys.modules.get(name, sys), ModuleType) for name in repair.modules)


def test_importing_the_package_imports_nothing_heavy(fresh_python):
    run = fresh_python('import sys, echocardmae_mm; print(*sys.modules)')
    assert run.returncode == 0, run.stderr
    assert not HEAVY & {name.split('.')[0] for name in run.stdout.split()}


def test_everything_of_both_hosts_imports_and_their_train_scripts_start(fresh_python):
    run = fresh_python(
        """
import runpy, sys
import echocardmae_mm
import mmaction.apis, mmaction.datasets, mmaction.engine, mmaction.evaluation, mmaction.models
import mmseg, mmseg.apis, mmseg.datasets, mmseg.models
for host in (mmaction, mmseg):
    sys.argv = ['train.py', '--help']
    try:
        runpy.run_path(f'{host.__path__[0]}/.mim/tools/train.py', run_name='__main__')
    except SystemExit as end:
        print('left with', end.code)
"""
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.count('left with 0') == 2
    assert 'echocardmae_mm' not in run.stderr
