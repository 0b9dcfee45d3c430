"""Print versions, devices and active patches for a bug report.

echocardmae env
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib import metadata

from echocardmae_mm import PATCHES, __version__
from echocardmae_mm.cli.arguments import command_parser
from echocardmae_mm.utils.git import git_commit

DISTRIBUTIONS = (
    'torch',
    'torchvision',
    'numpy',
    'opencv-python',
    'opencv-contrib-python',
    'mmengine',
    'mmcv',
    'mmcv-lite',
    'mmaction2',
    'mmsegmentation',
    'timm',
    'av',
    'decord',
    'pydicom',
    'pylibjpeg',
    'nibabel',
    'scipy',
    'scikit-image',
    'scikit-learn',
    'pandas',
    'setuptools',
)
# These install the same module as the distribution that they replace.
REPLACEMENTS = {
    'mmengine': ('onedl-mmengine',),
    'mmcv': ('mmcv-lite', 'onedl-mmcv'),
    'mmcv-lite': ('mmcv', 'onedl-mmcv'),
    'mmsegmentation': ('onedl-mmsegmentation',),
    'opencv-python': ('opencv-python-headless', 'opencv-contrib-python-headless'),
    'opencv-contrib-python': ('opencv-python-headless', 'opencv-contrib-python-headless'),
    'decord': ('decord2', 'eva-decord'),
}
ABSENT = {'decord': "absent: MMAction2's DecordInit does not work"}


def version_of(distribution: str) -> str:
    """Version of an installed distribution, its replacement, or the effect of its absence."""
    version = _version(distribution)
    found = ((name, _version(name)) for name in REPLACEMENTS.get(distribution, ()))
    replacements = ', '.join(f'{name} {number}' for name, number in found if number)
    if version and replacements:
        return f'{version}; overwrites or is overwritten by {replacements}'
    if replacements:
        return f'absent: replaced by {replacements}'
    return version or ABSENT.get(distribution, 'absent')


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def device() -> str:
    """Accelerators that torch sees, and its number of CPU threads."""
    import torch

    threads = f'{torch.get_num_threads()} of {os.cpu_count()} CPU threads'
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return f'{", ".join(names) or "no CUDA device"}, {threads}, torch {torch.__version__}'


def report() -> list[tuple[str, str]]:
    """Rows of name and value."""
    rows = [
        ('echocardmae_mm', __version__),
        ('commit', git_commit() or 'none: not a checkout'),
        ('python', platform.python_version()),
        ('platform', platform.platform()),
        ('device', device()),
    ]
    rows += [(name, version_of(name)) for name in DISTRIBUTIONS]
    rows += [('patch', f'{patch.name} ({patch.issue})') for patch in PATCHES if patch.active]
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    command_parser('env', __doc__).parse_args(argv)
    for name, value in report():
        print(f'{name:22} {value}')
