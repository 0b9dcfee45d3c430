"""Content hashes against hashlib."""

from __future__ import annotations

import hashlib

import numpy as np
import SimpleITK

from echocardmae_mm.datasets.recordings import content_hash


def test_equals_hashlib_for_any_name(tmp_path):
    content = bytes(range(256)) * 9000
    for name in ('a.avi', 'b.dcm'):
        (tmp_path / name).write_bytes(content)
    expected = hashlib.blake2b(content, digest_size=16).hexdigest()
    assert content_hash(str(tmp_path / 'a.avi')) == expected
    assert content_hash(str(tmp_path / 'b.dcm')) == expected


def test_a_header_is_hashed_with_its_raw_file(tmp_path):
    for folder, brightness in (('a', 1), ('b', 2)):
        (tmp_path / folder).mkdir()
        image = SimpleITK.GetImageFromArray(np.full((2, 4, 4), brightness, np.uint8))
        SimpleITK.WriteImage(image, str(tmp_path / folder / 'x.mhd'))
    headers = [(tmp_path / folder / 'x.mhd').read_bytes() for folder in 'ab']
    assert headers[0] == headers[1]
    hashes = {content_hash(str(tmp_path / folder / 'x.mhd')) for folder in 'ab'}
    assert len(hashes) == 2
