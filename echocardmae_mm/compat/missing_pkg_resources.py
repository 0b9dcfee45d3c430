"""mmengine 0.10.7 finds packages with ``pkg_resources``, which setuptools 82 removed."""

from __future__ import annotations

import sys
from importlib import metadata
from importlib.util import find_spec
from types import ModuleType

from echocardmae_mm.compat.patch import Execute, Patch, package_folder, source_has


def is_installed(package: str) -> bool:
    """Whether a distribution ('mmaction2') or module ('mmaction') is installed."""
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        spec = find_spec(package)
        return spec is not None and spec.origin is not None
    return True


def get_installed_path(package: str) -> str:
    """Folder of an installed distribution ('mmaction2') or module ('mmaction').

    Raises:
        PackageNotFoundError: If it is not installed.
    """
    folder = package_folder(package) or package_folder(package2module(package))
    if folder is None:
        raise metadata.PackageNotFoundError(package)
    return str(folder)


def package2module(package: str) -> str:
    """Module that a distribution installs: 'mmaction' for 'mmaction2'.

    Raises:
        PackageNotFoundError: If the distribution is not installed.
        ValueError: If the distribution does not list its modules.
    """
    names = (metadata.distribution(package).read_text('top_level.txt') or '').split()
    if not names:
        raise ValueError(f'can not infer the module name of {package}')
    return names[0]


REPLACEMENTS = (is_installed, get_installed_path, package2module)


def _needed() -> bool:
    return find_spec('pkg_resources') is None and source_has(
        'mmengine', 'utils/package_utils.py', 'pkg_resources'
    )


def _apply(module: ModuleType, execute: Execute) -> None:
    execute()
    for function in REPLACEMENTS:
        original = getattr(module, function.__name__)
        for importer in [m for m in sys.modules.values() if isinstance(m, ModuleType)]:
            if vars(importer).get(function.__name__) is original:
                setattr(importer, function.__name__, function)


MISSING_PKG_RESOURCES = Patch(
    name="mmengine: setuptools removed 'pkg_resources'; importlib.metadata replaces it",
    issue='https://github.com/open-mmlab/mmengine/pull/1676',
    modules=('mmengine.utils.package_utils',),
    needed=_needed,
    apply=_apply,
)
