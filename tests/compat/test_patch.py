import sys
from types import ModuleType

import pytest

from echocardmae_mm import PATCHES
from echocardmae_mm.compat.patch import Patch, PatchFinder, apply_patches, package_folder

HEAVY = {'torch', 'numpy', 'mmengine', 'mmcv', 'mmaction', 'mmseg', 'cv2', 'matplotlib', 'scipy'}


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / 'faulty'
    folder.mkdir()
    (folder / '__init__.py').write_text('')
    (folder / 'part.py').write_text('value = 1\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, 'meta_path', list(sys.meta_path))
    yield folder
    for name in [name for name in sys.modules if name.split('.')[0] == 'faulty']:
        del sys.modules[name]


def doubling(needed=True, modules=('faulty.part',)):
    calls = []

    def apply(module, execute):
        calls.append(module.__name__)
        execute()
        module.value = getattr(module, 'value', 0) * 2

    return Patch('doubles', 'https://example.org', modules, lambda: needed, apply), calls


def test_patches_when_the_module_is_imported(package):
    patch, calls = doubling()
    apply_patches([patch])
    assert calls == []
    import faulty.part

    assert faulty.part.value == 2
    assert type(faulty.part.__loader__).__name__ == 'SourceFileLoader'
    assert faulty.part.__spec__.loader is faulty.part.__loader__


def test_patches_modules_imported_already(package):
    import faulty.part

    patch, calls = doubling()
    apply_patches([patch])
    assert calls == ['faulty.part']
    assert faulty.part.value == 2


def test_leaves_a_package_without_the_fault_alone(package):
    patch, calls = doubling(needed=False)
    apply_patches([patch])
    import faulty.part

    assert (faulty.part.value, calls) == (1, [])


def test_creates_a_missing_module(package):
    patch, _ = doubling(modules=('faulty.lost', 'faulty.lost.deeper'))
    apply_patches([patch])
    import faulty.lost.deeper

    assert faulty.lost.deeper.value == 0
    with pytest.raises(ModuleNotFoundError):
        __import__('faulty.lost.unknown')


def test_ignores_other_modules():
    assert PatchFinder({}).find_spec('json', None) is None


def test_folder_of_a_package_without_importing_it(package):
    assert package_folder('faulty') == package
    assert package_folder('no_such_package') is None
    assert 'faulty' not in sys.modules


def test_each_patch_names_its_issue():
    for patch in PATCHES:
        assert patch.issue.startswith(
            ('https://github.com/open-mmlab/', 'https://github.com/pytorch/')
        )
        assert patch.modules
        assert '\n' not in patch.name
        assert isinstance(patch.active, bool)
        assert all(isinstance(sys.modules.get(name, sys), ModuleType) for name in patch.modules)


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
