"""mmengine 0.10.7 looks packages up by ``pkg_resources``, which setuptools 82 no longer has."""

from __future__ import annotations

import sys
from importlib import metadata
from importlib.util import find_spec
from types import ModuleType

from echocardmae_mm.compat.patch import Execute, Patch, package_folder


def is_installed(package: str) -> bool:
    """Whether a package is installed, by the name of its distribution or of its module.

    Args:
        package (str): Such as 'mmaction2' or 'mmaction'.

    Returns:
        bool: Whether it is there.
    """
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        spec = find_spec(package)
        return spec is not None and spec.origin is not None
    return True


def get_installed_path(package: str) -> str:
    """Folder of an installed package.

    Args:
        package (str): Name of its distribution or of its module, such as 'mmaction2' or 'mmaction'.

    Returns:
        str: The folder.

    Raises:
        PackageNotFoundError: If there is none.
    """
    folder = package_folder(package) or package_folder(package2module(package))
    if folder is None:
        raise metadata.PackageNotFoundError(package)
    return str(folder)


def package2module(package: str) -> str:
    """Name of the module that a distribution installs.

    Args:
        package (str): Name of the distribution, such as 'mmaction2'.

    Returns:
        str: Such as 'mmaction'.

    Raises:
        PackageNotFoundError: If the distribution is not installed.
        ValueError: If it does not name its modules.
    """
    names = (metadata.distribution(package).read_text('top_level.txt') or '').split()
    if not names:
        raise ValueError(f'can not infer the module name of {package}')
    return names[0]


REPLACEMENTS = (is_installed, get_installed_path, package2module)


def _needed() -> bool:
    folder = package_folder('mmengine')
    if folder is None or find_spec('pkg_resources') is not None:
        return False
    return 'pkg_resources' in (folder / 'utils' / 'package_utils.py').read_text(encoding='utf-8')


def _apply(module: ModuleType, execute: Execute) -> None:
    execute()
    for function in REPLACEMENTS:
        own = getattr(module, function.__name__)
        for holder in [held for held in sys.modules.values() if isinstance(held, ModuleType)]:
            if vars(holder).get(function.__name__) is own:
                setattr(holder, function.__name__, function)


MISSING_PKG_RESOURCES = Patch(
    name="mmengine: 'pkg_resources' is gone from setuptools; importlib.metadata does its work",
    issue='https://github.com/open-mmlab/mmengine/pull/1676',
    modules=('mmengine.utils.package_utils',),
    needed=_needed,
    apply=_apply,
)
