"""``python -m echocardmae_mm``: versions, device and active repairs, for a bug report."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

from echocardmae_mm import PATCHES, __version__

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
    'decord': 'absent: OpenCV reads every video',
    'mmcv': 'absent: mmcv-lite stands for it',
    'mmcv-lite': 'absent: the full mmcv is used',
}


def version_of(distribution: str) -> str:
    """Version of an installed distribution.

    Args:
        distribution (str): Its name.

    Returns:
        str: The version, or what its absence means.
    """
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ABSENT.get(distribution, 'absent')


def commit() -> str | None:
    """Commit of the checkout that the package runs from; None for an installed wheel."""
    root = Path(__file__).parents[1]
    if not (root / '.git').exists():
        return None
    command = ['git', '-C', str(root), 'describe', '--always', '--dirty', '--abbrev=12']
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def device() -> str:
    """Accelerators that torch sees, and its number of CPU threads."""
    import torch

    threads = f'{torch.get_num_threads()} of {os.cpu_count()} CPU threads'
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return f'{", ".join(names) or "no CUDA device"}, {threads}, torch {torch.__version__}'


def report() -> list[tuple[str, str]]:
    """All that a bug report needs.

    Returns:
        list[tuple[str, str]]: Rows of name and value.
    """
    rows = [('echocardmae_mm', __version__)]
    at_commit = commit()
    if at_commit is not None:
        rows.append(('commit', at_commit))
    rows += [
        ('python', platform.python_version()),
        ('platform', platform.platform()),
        ('device', device()),
    ]
    rows += [(name, version_of(name)) for name in DISTRIBUTIONS]
    rows += [('repair', f'{repair.name} ({repair.issue})') for repair in PATCHES if repair.active]
    return rows


def main() -> None:
    """Print the report."""
    for name, value in report():
        print(f'{name:22} {value}')


if __name__ == '__main__':
    main()
