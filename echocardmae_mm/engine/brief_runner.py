"""A runner with brief console output."""

from __future__ import annotations

import logging
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from echocardmae_mm.utils.config import type_name
from echocardmae_mm.utils.errors import UserError

#: Default hooks of mmengine, which None disables.
_STOCK_HOOKS = {'runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint'}
_MESSAGES = (
    'Hooks will be executed',
    'Distributed training is not used',
    'Loads checkpoint by',
)


class BriefRunner(Runner):
    """``Runner`` that logs environment, config and hooks to the log file, not to the console.

    The same applies to mmengine's one-line list of all test metrics, which
    :func:`write_test_results` logs as tables. Any entry of ``default_hooks`` can be None.
    """

    def register_default_hooks(self, hooks: dict[str, Hook | dict | None] | None = None) -> None:
        """Register the default hooks; mmengine's own method rejects None for added hooks."""
        named = {k: v for k, v in (hooks or {}).items() if v is not None or k in _STOCK_HOOKS}
        super().register_default_hooks(named)

    def register_custom_hooks(self, hooks: list[Hook | dict]) -> None:
        """Register the custom hooks.

        Raises:
            UserError: If a hook of this package is already a default hook.
        """
        names = {type_name(dict(type=type(hook))) for hook in self.hooks}
        ours = {name for name in names if name.startswith('echocardmae_mm.')}
        for hook in hooks:
            if isinstance(hook, dict) and type_name(hook) in ours:
                raise UserError(
                    f'custom_hooks: {type_name(hook)} is already a default hook\n'
                    'Override its entry in default_hooks instead'
                )
        super().register_custom_hooks(hooks)

    def build_logger(
        self, log_level: int | str = 'INFO', log_file: str | None = None, **kwargs: Any
    ) -> MMLogger:
        """Build the logger, and filter its console output."""
        logger = super().build_logger(log_level, log_file, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.addFilter(_is_console_record)
        return logger


def _is_console_record(record: logging.LogRecord) -> bool:
    is_detail = (
        record.funcName == '_log_env'  # environment and config
        or (record.funcName == 'after_test_epoch' and record.pathname.endswith('logger_hook.py'))
        or str(record.msg).startswith(_MESSAGES)
    )
    return record.levelno >= logging.WARNING or not is_detail
