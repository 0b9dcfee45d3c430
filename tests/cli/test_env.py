"""The command ``env``."""

import sys

import numpy as np
import pytest
import torch

import echocardmae_mm
from echocardmae_mm.cli.env import report, version_of


def test_prints_what_a_bug_report_needs(command):
    run = command('env')
    assert run.returncode == 0, run.stderr
    rows = [line.split(maxsplit=1) for line in run.stdout.splitlines()]
    values = dict(rows)
    assert values['echocardmae_mm'] == echocardmae_mm.__version__
    assert values['torch'] == torch.__version__.split('+')[0]
    assert values['numpy'] == np.__version__
    assert values['python'] == '.'.join(map(str, sys.version_info[:3]))
    patches = [value for name, value in rows if name == 'patch']
    assert len(patches) == sum(patch.active for patch in echocardmae_mm.PATCHES)


def test_names_the_device_and_the_threads():
    device = dict(report())['device']
    assert ('no CUDA device' in device) == (not torch.cuda.is_available())
    assert device.endswith(f'CPU threads, torch {torch.__version__}')


def test_says_what_an_absent_package_means():
    assert version_of('no-such-distribution') == 'absent'
    assert version_of('numpy') == np.__version__


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Only these distributions are installed."""

    def install(**versions):
        for name, version in versions.items():
            folder = tmp_path / f'{name}-{version}.dist-info'
            folder.mkdir()
            (folder / 'METADATA').write_text(
                f'Metadata-Version: 2.1\nName: {name.replace("_", "-")}\nVersion: {version}\n'
            )
        monkeypatch.setattr(sys, 'path', [str(tmp_path)])

    return install


def test_names_what_replaces_a_package(installed):
    installed(onedl_mmengine='0.10.12', decord2='3.4.0', opencv_python_headless='5.0.0.93')
    assert version_of('mmengine') == 'absent: replaced by onedl-mmengine 0.10.12'
    assert version_of('decord') == 'absent: replaced by decord2 3.4.0'
    for name in ('opencv-python', 'opencv-contrib-python'):
        assert version_of(name) == 'absent: replaced by opencv-python-headless 5.0.0.93'


def test_names_two_packages_in_one_folder(installed):
    installed(mmengine='0.10.7', onedl_mmengine='0.10.12')
    assert version_of('mmengine') == (
        '0.10.7; overwrites or is overwritten by onedl-mmengine 0.10.12'
    )


def test_says_what_the_absence_of_decord_means(installed):
    installed()
    assert version_of('decord') == "absent: MMAction2's DecordInit does not work"
