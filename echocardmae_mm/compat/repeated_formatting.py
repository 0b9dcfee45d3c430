"""mmengine formats the config of a run with yapf again for each checkpoint."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any

from echocardmae_mm.compat.patch import Execute, Patch, source_has

FormatCode = Callable[..., tuple[str, bool]]


def _needed() -> bool:
    return source_has('mmengine', 'config/config.py', 'FormatCode(text, style_config=yapf_style')


def _keep_last(format_code: FormatCode) -> FormatCode:
    last: tuple[str, tuple[str, bool]] | None = None

    @wraps(format_code)
    def formatted(*args: Any, **kwargs: Any) -> tuple[str, bool]:
        nonlocal last
        key, kept = repr((args, kwargs)), last
        if kept is None or kept[0] != key:
            last = kept = key, format_code(*args, **kwargs)
        return kept[1]

    return formatted


def _apply(module: ModuleType, execute: Execute) -> None:
    execute()
    formatted = _keep_last(module.FormatCode)
    for user in (module, sys.modules.get('mmengine.config.config')):
        if user is not None:
            user.FormatCode = formatted  # type: ignore[attr-defined]


REPEATED_FORMATTING = Patch(
    name='mmengine: yapf reformats an unchanged config for each checkpoint; the last text is kept',
    issue='https://github.com/open-mmlab/mmcv/issues/2466',
    modules=('yapf.yapflib.yapf_api',),
    needed=_needed,
    apply=_apply,
)
