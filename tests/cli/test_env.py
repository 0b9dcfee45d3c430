"""The command ``env``."""

import sys

import numpy as np
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
