"""mmaction2 1.2.0 imports a folder that its wheel lacks."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from echocardmae_mm.compat.patch import Execute, Patch, package_folder
from echocardmae_mm.utils.errors import UserError

ISSUE = 'https://github.com/open-mmlab/mmaction2/issues/2714'
FOLDER = 'mmaction.models.localizers.drn'


class DRN:
    """Placeholder for MMAction2's dense regression network; raises when built."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise UserError(
            f"The released mmaction2 lacks the localizer 'DRN' ({ISSUE}).\n"
            'To use it, install mmaction2 from a clone: '
            'pip install -e git+https://github.com/open-mmlab/mmaction2#egg=mmaction2'
        )


def _needed() -> bool:
    folder = package_folder('mmaction')
    if folder is None:
        return False
    localizers = folder / 'models' / 'localizers'
    return localizers.is_dir() and not (localizers / 'drn' / 'drn.py').is_file()


def _apply(module: ModuleType, execute: Execute) -> None:
    execute()
    if module.__name__ == f'{FOLDER}.drn':
        from mmaction.registry import MODELS

        module.DRN = DRN  # type: ignore[attr-defined]
        MODELS.register_module(module=DRN, force=True)


MISSING_DRN = Patch(
    name="mmaction2: the wheel lacks 'models/localizers/drn'; a placeholder lets the rest import",
    issue=ISSUE,
    modules=(FOLDER, f'{FOLDER}.drn'),
    needed=_needed,
    apply=_apply,
)
