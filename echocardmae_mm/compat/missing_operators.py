"""mmsegmentation imports mmcv's compiled operators, which mmcv-lite lacks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any, NoReturn

from echocardmae_mm.compat.patch import Execute, Patch, package_folder
from echocardmae_mm.utils.errors import UserError

EXTENSION = 'mmcv._ext'


class MissingOperators(ModuleType):
    """Placeholder for mmcv's compiled extension while ``mmcv.ops`` is imported.

    Every attribute is an operator that raises :class:`UserError` when called, except the queries
    of ``mmcv.utils.collect_env``.
    """

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith('__'):
            raise AttributeError(name)
        if name in ('get_compiler_version', 'get_compiling_cuda_version'):
            return lambda: 'n/a'  # as collect_env writes for mmcv-lite

        def operator(*args: Any, **kwargs: Any) -> NoReturn:
            raise UserError(
                f"The compiled operator '{name}' of mmcv was called, and mmcv-lite has none.\n"
                'Install the full mmcv: pip uninstall -y mmcv-lite, then '
                "pip install --no-build-isolation 'mmcv>=2.1,<2.2' (docs/install.md)."
            )

        return operator


def _needed() -> bool:
    folder = package_folder('mmcv')
    return folder is not None and PathFinder.find_spec(EXTENSION, [str(folder)]) is None


def _apply(module: ModuleType, execute: Execute) -> None:
    sys.modules[EXTENSION] = MissingOperators(EXTENSION)
    try:
        execute()
    finally:
        del sys.modules[EXTENSION]


MISSING_OPERATORS = Patch(
    name="mmcv-lite: no compiled operators; a placeholder lets 'mmcv.ops' and mmseg import",
    issue='https://github.com/open-mmlab/mmcv/issues/2059',
    modules=('mmcv.ops',),
    needed=_needed,
    apply=_apply,
)
