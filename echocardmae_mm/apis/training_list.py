"""Salted hashes of the recordings that trained a model, with which others find theirs."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from echocardmae_mm.datasets.recordings.content_hash import content_hash
from echocardmae_mm.utils.errors import UserError

_BYTES = 16


class TrainingList(NamedTuple):
    """Recordings by a keyed hash of their content; the key is the salt, which is not secret.

    Args:
        salt (str): 32 hexadecimal digits.
        hashes (frozenset[str]): Of each recording, 32 hexadecimal digits.

    Example:
        >>> listed = TrainingList.of(['0123', '4567'])
        >>> listed.holds_content('4567'), listed.holds_content('89ab')
        (True, False)
    """

    salt: str
    hashes: frozenset[str]

    @classmethod
    def of(cls, contents: Iterable[str]) -> TrainingList:
        """Make a list with a new salt from results of ``content_hash``."""
        salt = secrets.token_hex(_BYTES)
        return cls(salt, frozenset(_salted(content, salt) for content in contents))

    def holds_content(self, content: str) -> bool:
        """Whether a recording with this ``content_hash`` is listed."""
        return _salted(content, self.salt) in self.hashes

    def holds(self, filename: str) -> bool:
        """Whether a recording with the bytes of this file is listed; not if there is no file."""
        content = content_hash(filename)
        return bool(content) and self.holds_content(content)

    def write(self, path: Path) -> None:
        """Write a JSON file."""
        content = {'salt': self.salt, 'hashes': sorted(self.hashes)}
        path.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')


def read_training_list(path: Path) -> TrainingList | None:
    """Read the list of a bundle.

    Args:
        path (Path): The file.

    Returns:
        TrainingList, optional: None if there is no file.

    Raises:
        UserError: If it is damaged.
    """
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        salt, hashes = content['salt'], content['hashes']
        for text in (salt, *hashes):
            if len(bytes.fromhex(text)) != _BYTES:
                raise ValueError(text)
        return TrainingList(salt, frozenset(hashes))
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f'{path}: damaged\nPublish the checkpoint again') from None


def _salted(content: str, salt: str) -> str:
    key = bytes.fromhex(salt)
    return hashlib.blake2b(content.encode(), key=key, digest_size=_BYTES).hexdigest()
