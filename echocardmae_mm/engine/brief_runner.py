"""A runner whose console output fits on a page."""

from __future__ import annotations

import logging
from typing import Any

from mmengine.logging import MMLogger
from mmengine.runner import Runner

_METHODS = {
    '_log_env',  # environment and config
    'after_test_epoch',  # all metrics of a test in one line
}
_MESSAGES = (
    'Hooks will be executed',
    'Distributed training is not used',
    'Loads checkpoint by',
)


class BriefRunner(Runner):
    """``Runner`` that logs environment, config and hooks to the log file, not to the console.

    The same applies to mmengine's one-line list of all metrics of a test, which
    :func:`write_test_results` logs as tables.
    """

    def build_logger(
        self, log_level: int | str = 'INFO', log_file: str | None = None, **kwargs: Any
    ) -> MMLogger:
        """Build the logger, and filter its console output."""
        logger = super().build_logger(log_level, log_file, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.addFilter(_is_for_the_console)
        return logger


def _is_for_the_console(record: logging.LogRecord) -> bool:
    is_detail = record.funcName in _METHODS or str(record.msg).startswith(_MESSAGES)
    return record.levelno >= logging.WARNING or not is_detail
