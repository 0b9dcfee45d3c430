"""Errors shown to users in one or two lines, without traceback, with exit status 1."""

from __future__ import annotations


class UserError(Exception):
    """An error that the user can correct; its message says what is wrong and how to fix it.

    Args:
        message (str): One or two lines. If a worker process raised the error, torch passes its
            whole traceback as the message; only the error's own lines are kept.
    """

    def __init__(self, message: str) -> None:
        if 'Original Traceback' in message:
            message = message.rsplit(f'.{type(self).__name__}: ', 1)[-1].strip()
        super().__init__(message)


class RecordingError(UserError):
    """A recording cannot be used, for example because it is unreadable or has no sector.

    Training skips and counts the recording; testing stops.

    Args:
        filename (str): The recording, or the whole message if ``reason`` is empty.
        reason (str): Why it cannot be used, without any content of the file. Defaults to ''.
        detail (str): What the message adds in brackets, up to 200 printable characters of its first
            line. It may quote the file, so it can identify a patient. Defaults to ''.
    """

    def __init__(self, filename: str, reason: str = '', detail: str = '') -> None:
        self.filename = str(filename)
        self.reason = reason
        line = (detail.splitlines() or [''])[0][:200]
        self.detail = ''.join(letter if letter.isprintable() else '?' for letter in line)
        super().__init__(f'{filename}: {self.explanation}' if reason else str(filename))

    @property
    def explanation(self) -> str:
        """Reason and detail."""
        return f'{self.reason} ({self.detail})' if self.detail else self.reason

    def __reduce__(self) -> tuple[type[RecordingError], tuple[str, str, str]]:
        return type(self), (self.filename, self.reason, self.detail)
