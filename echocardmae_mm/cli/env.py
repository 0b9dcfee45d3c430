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
    'SimpleITK',
    'scipy',
    'scikit-image',
    'scikit-learn',
    'pandas',
    'setuptools',
)
ABSENT = {
    'decord': "absent: MMAction2's DecordInit does not work",
    'mmcv': 'absent: mmcv-lite is used',
    'mmcv-lite': 'absent: the full mmcv is used',
}


def version_of(distribution: str) -> str:
    """Version of an installed distribution, or the effect of its absence."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ABSENT.get(distribution, 'absent')


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
