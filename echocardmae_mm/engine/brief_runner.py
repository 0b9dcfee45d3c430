"""A runner whose console output fits on a page."""

from __future__ import annotations

import logging
from typing import Any

from mmengine.logging import MMLogger
from mmengine.runner import Runner

_METHODS = {'_log_env', 'after_test_epoch'}  # environment and config; the metrics in one line


class BriefRunner(Runner):
    """``Runner`` that logs the environment, the config and the hooks to the log file only.

    So it does with mmengine's one-line list of all metrics of a test; see
    :func:`write_test_results` for tables of them.
    """

    def build_logger(
        self, log_level: int | str = 'INFO', log_file: str | None = None, **kwargs: Any
    ) -> MMLogger:
        """Build the logger, and filter what it writes to the console."""
        logger = super().build_logger(log_level, log_file, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.addFilter(_is_for_the_console)
        return logger


def _is_for_the_console(record: logging.LogRecord) -> bool:
    lists_hooks = str(record.msg).startswith('Hooks will be executed')
    return record.levelno >= logging.WARNING or not (record.funcName in _METHODS or lists_hooks)
