"""Replace names of patients and recordings by pseudonyms that cannot be traced back."""

from __future__ import annotations

import hashlib
import secrets


class Pseudonyms:
    """Keyed hashes of names: stable for one object, unrelated between objects.

    Names of patients are few enough to hash them all, so a hash without a secret salt hides
    nothing. The salt stays in memory; without it, no pseudonym leads back to its name.

    Args:
        salt (bytes, optional): Secret key of at most 64 bytes. Defaults to None, a random one.

    Example:
        >>> pseudonyms = Pseudonyms()
        >>> pseudonyms.pseudonym('Doe^Jane') == pseudonyms.pseudonym('Doe^Jane')
        True
        >>> Pseudonyms(salt=b'secret').pseudonym('Doe^Jane')
        'a22db1d1b2'
    """

    def __init__(self, salt: bytes | None = None) -> None:
        self._salt = secrets.token_bytes(32) if salt is None else salt

    def pseudonym(self, text: str) -> str:
        """The pseudonym of a name, 10 hexadecimal digits."""
        return self._digest(text, 5)

    def uid(self, text: str) -> str:
        """The pseudonym of a DICOM UID, itself a UID derived from a UUID (ISO/IEC 9834-8)."""
        return f'2.25.{int(self._digest(text, 16), 16)}'

    def _digest(self, text: str, size: int) -> str:
        # A path on Linux may hold bytes that are not UTF-8, as lone surrogates.
        name = text.encode('utf-8', 'surrogateescape')
        return hashlib.blake2b(name, digest_size=size, key=self._salt).hexdigest()
