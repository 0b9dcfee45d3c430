"""Change the bytes or the words of a valid file at random."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from typing import Any

import numpy as np

Rng = np.random.Generator
_INTEGERS = (0, 1, 2, 3, 7, 8, 9, 255, 256, 0x7F, 0x80, 0x7FFF, 0x8000, 0xFFFF)
_LARGE = (0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 1 << 63, (1 << 64) - 1)
_WORDS = (
    *(b'', b'-1', b'0', b'1', b'3', b'1.5', b'-0.0', b'nan', b'inf', b'-inf', b'1e999', b'1e308'),
    *(b'4294967295', b'9' * 40, b'9' * 5000, b'0x10', b'1_0', b'True', b'None', b'%s%n', b'../x'),
    *(b'\xff\xfe', b'\xe9', b'\xef\xbb\xbf', '\u0663\u00b2'.encode(), b'\0', b'"', b'""', b"'"),
    *(b',', b';', b'\t', b'\n', b'\r', b':', b'=', b'x' * 5000, b' ', b'LIST', b'/dev/zero', b'/'),
)
_WORD = re.compile(rb'[^\s,:=;<>"/]+')


def mutate(content: bytes, rng: Rng, is_text: bool, name: str = '') -> bytes:
    """Change a file in one to four places; the parts of archives are changed before packing."""
    if rng.random() < 0.7:
        if name.endswith('.gz'):
            return gzip.compress(_changed(gzip.decompress(content), rng, is_text), mtime=0)
        if name.endswith('.xlsx'):
            return _with_mutated_part(content, rng)
    return _changed(content, rng, is_text)


def _with_mutated_part(content: bytes, rng: Rng) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, 'w') as new:
        names = old.namelist()
        chosen = names[rng.integers(len(names))]
        for name in names:
            part = old.read(name)
            part = _changed(part, rng, True) if name == chosen else part
            new.writestr(zipfile.ZipInfo(name), part)
    return packed.getvalue()


def _changed(content: bytes, rng: Rng, is_text: bool) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        kinds = _TEXT_KINDS if is_text else _BINARY_KINDS
        kinds[rng.integers(len(kinds))](changed, rng)
    if rng.random() < 0.1:
        del changed[rng.integers(len(changed) + 1) :]
    return bytes(changed)


def _place(content: bytearray, rng: Rng) -> int:
    """Choose a position in a file; half of the time in its header, which matters most."""
    end = min(len(content), 600) if rng.random() < 0.5 else len(content)
    return int(rng.integers(max(end, 1)))


def _flip(content: bytearray, rng: Rng) -> None:
    for _ in range(rng.integers(1, 9)):
        if content:
            content[_place(content, rng)] ^= 1 << int(rng.integers(8))


def _integer(content: bytearray, rng: Rng) -> None:
    size = int(rng.choice([1, 2, 4, 8]))
    values = (*_INTEGERS, *_LARGE)
    value = values[rng.integers(len(values))] & ((1 << 8 * size) - 1)
    start = _place(content, rng)
    order: Any = ('little', 'big')[rng.integers(2)]
    content[start : start + size] = value.to_bytes(size, order)


def _splice(content: bytearray, rng: Rng) -> None:
    """Copy a chunk over another place, insert it there, or delete it."""
    start, target = _place(content, rng), _place(content, rng)
    chunk = content[start : start + int(2 ** rng.uniform(0, 12))]
    action = rng.integers(4)
    if action == 0:
        content[target : target + len(chunk)] = chunk
    elif action == 1:
        content[target:target] = chunk
    elif action == 2:
        del content[start : start + len(chunk)]
    else:
        content[start : start + len(chunk)] = bytes(len(chunk))


def _words(content: bytearray, rng: Rng) -> None:
    found = list(_WORD.finditer(content))
    if not found:
        return _integer(content, rng)
    word = found[rng.integers(len(found))]
    other = found[rng.integers(len(found))][0]
    new = other if rng.random() < 0.2 else _WORDS[rng.integers(len(_WORDS))]
    content[word.start() : word.end()] = new


_BINARY_KINDS = (_flip, _integer, _integer, _splice)
_TEXT_KINDS = (_words, _words, _words, _splice)
