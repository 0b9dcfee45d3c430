import ast
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from setuptools import find_packages

from echocardmae_mm import __version__

ROOT = Path(__file__).parents[1]
PARTS = ('echocardmae_mm', 'configs', 'tools', 'workflow')
FILES = ('setup.py', 'pyproject.toml', 'MANIFEST.in', 'README.md', 'LICENSE', 'model-index.yml')
BUILD = 'from setuptools import build_meta; print(build_meta.build_{kind}({out!r}))'

pytestmark = [
    pytest.mark.xdist_group('packaging'),
    pytest.mark.skipif(
        not (ROOT / 'setup.py').is_file(), reason='runs from a checkout of the project'
    ),
]


def build(kind, source, out):
    """A distribution of the source folder, without looking at any package index."""
    run = subprocess.run(
        [sys.executable, '-c', BUILD.format(kind=kind, out=str(out))],
        cwd=source,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return out / run.stdout.splitlines()[-1]


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp('source')
    ignore = shutil.ignore_patterns('__pycache__', '.mim', '*.pyc')
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=ignore)
    for file in FILES:
        shutil.copy(ROOT / file, folder)
    return folder


@pytest.fixture(scope='module')
def wheel(source, tmp_path_factory):
    """A wheel built from an sdist, so that both are seen."""
    folder = tmp_path_factory.mktemp('built')
    shutil.unpack_archive(build('sdist', source, folder), folder)
    (unpacked,) = (path for path in folder.iterdir() if path.is_dir())
    return build('wheel', unpacked, folder)


def python_files(folder):
    return {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob('*.py')} - {
        str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob('.mim/**/*.py')
    }


def test_a_wheel_carries_modules_configs_and_tools(wheel):
    assert wheel.name.startswith(f'echocardmae_mm-{__version__}-py3-none-any')
    names = set(zipfile.ZipFile(wheel).namelist())
    assert python_files('echocardmae_mm') <= names
    for part in ('configs', 'tools'):
        carried = {f'echocardmae_mm/.mim/{name}' for name in python_files(part)}
        assert carried
        assert carried <= names
    assert 'echocardmae_mm/.mim/workflow/Snakefile' in names
    assert 'echocardmae_mm/.mim/workflow/profiles/slurm/config.v8+.yaml' in names
    assert 'echocardmae_mm/.mim/model-index.yml' in names
    assert not [name for name in names if name.startswith(('tests/', 'configs/', 'tools/'))]
    assert not [name for name in names if '__pycache__' in name]


def test_a_wheel_is_usable_in_an_empty_folder(wheel, tmp_path):
    """Packaged configs are found by name, without a checkout."""
    site, folder = tmp_path / 'site', tmp_path / 'empty'
    zipfile.ZipFile(wheel).extractall(site)
    folder.mkdir()
    entry_points = (site / wheel_metadata(wheel, 'entry_points.txt')).read_text()
    assert 'echocardmae = echocardmae_mm.cli.main:main' in entry_points

    def run(*arguments):
        return subprocess.run(
            [sys.executable, '-m', 'echocardmae_mm', *arguments],
            cwd=folder,
            env={**os.environ, 'PYTHONPATH': str(site), 'OMP_NUM_THREADS': '1'},
            capture_output=True,
            text=True,
        )

    planned = run('reproduce', 'table5', '--phantom', '--dry-run')
    assert planned.returncode == 0, planned.stderr
    assert 'pretrain/key_area/seed_0' in planned.stdout
    trained = run('train', 'pretrain_phantom')
    assert trained.returncode == 1
    assert trained.stderr.startswith('error: data/phantom/EchoNet-Dynamic/FileList.csv: not found')
    assert not list(folder.iterdir())


def test_an_editable_install_links_to_the_checkout(source, tmp_path):
    build('editable', source, tmp_path)
    linked = source / 'echocardmae_mm' / '.mim' / 'configs'
    assert linked.is_symlink()
    assert linked.resolve() == source / 'configs'
    assert '.mim/' in (ROOT / '.gitignore').read_text().split()


def test_every_folder_with_modules_is_a_package():
    folders = {
        '.'.join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / 'echocardmae_mm').rglob('*.py')
        if not {'.mim', 'example'} & set(path.parts)
    }
    assert folders == set(find_packages(str(ROOT), include=('echocardmae_mm*',)))


def constraints():
    lines = (ROOT / 'constraints.txt').read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith('#')]


@pytest.mark.parametrize('python', ['3.10', '3.11', '3.12', '3.13'])
def test_constraints_pin_everything_once_for_each_python(wheel, python):
    environment = {'python_version': python, 'extra': 'test'}
    pinned = {}
    for pin in constraints():
        if pin.marker is None or pin.marker.evaluate(environment):
            assert canonicalize_name(pin.name) not in pinned
            pinned[canonicalize_name(pin.name)] = str(pin.specifier)
    for line in (
        zipfile.ZipFile(wheel).read(wheel_metadata(wheel, 'METADATA')).decode().splitlines()
    ):
        if line.startswith('Requires-Dist: '):
            required = Requirement(line.removeprefix('Requires-Dist: '))
            extras = ({**environment, 'extra': extra} for extra in ('test', 'docs'))
            if required.marker and not any(map(required.marker.evaluate, extras)):
                continue
            pin = pinned[canonicalize_name(required.name)]
            assert pin.startswith('==')
            assert required.specifier.contains(pin[2:])
    assert pinned['opencv-python'] == pinned['opencv-contrib-python']
    assert int(pinned['setuptools'][2:].split('.')[0]) < 82


@pytest.mark.parametrize(
    'release', ['mmengine==0.11.0', 'mmsegmentation==1.3.0', 'opencv-contrib-python==5.1.0']
)
def test_releases_that_were_never_tried_are_excluded(wheel, release):
    name, _, version = release.partition('==')
    text = zipfile.ZipFile(wheel).read(wheel_metadata(wheel, 'METADATA')).decode()
    lines = [line for line in text.splitlines() if line.startswith('Requires-Dist: ')]
    required = [Requirement(line.removeprefix('Requires-Dist: ')) for line in lines]
    (specifier,) = (part.specifier for part in required if part.name == name)
    assert not specifier.contains(version)


def wheel_metadata(wheel, name):
    return f'echocardmae_mm-{__version__}.dist-info/{name}'


def test_the_version_is_a_plain_literal():
    tree = ast.parse((ROOT / 'echocardmae_mm' / '__init__.py').read_text())
    values = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    assert __version__ in [ast.literal_eval(value) for value in values]
