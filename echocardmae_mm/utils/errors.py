"""Errors that are for people: one or two lines, no traceback, exit status not 0."""

from __future__ import annotations


class UserError(Exception):
    """A user's mistake: names the thing, what was expected and what to do.

    The tools print the message without a traceback and leave with status 1. They know the error by
    :attr:`is_user_error`, so that a tool that imports only mmengine can tell it apart.

    Args:
        message (str): One or two lines. Where a loading process raised the error, torch hands its
            whole traceback on as the message; the error's own lines are kept.
    """

    is_user_error = True

    def __init__(self, message: str) -> None:
        if 'Original Traceback' in message:
            message = message.rsplit(f'.{type(self).__name__}: ', 1)[-1].strip()
        super().__init__(message)


class RecordingError(UserError):
    """One recording cannot be used: unreadable, empty, of the wrong kind, its sector too small.

    In training the recording is skipped and counted; in testing the error ends the run.

    Args:
        filename (str): The recording, or the whole message where there is no ``reason``.
        reason (str): Why it cannot be used. Defaults to ''.
    """

    def __init__(self, filename: str, reason: str = '') -> None:
        super().__init__(f'{filename}: {reason}' if reason else str(filename))
        self.filename = str(filename)
        self.reason = reason

    def __reduce__(self) -> tuple[type[RecordingError], tuple[str, str]]:
        return type(self), (self.filename, self.reason)
