"""Pseudonyms are stable for one salt and say nothing without it."""

from __future__ import annotations

import re

import pytest
from pydicom.uid import UID

from echocardmae_mm.utils.pseudonyms import Pseudonyms


def test_a_pseudonym_is_stable_for_one_object_and_differs_between_names() -> None:
    pseudonyms = Pseudonyms()
    names = [f'patient {number}' for number in range(2000)]
    found = [pseudonyms.pseudonym(name) for name in names]
    assert found == [pseudonyms.pseudonym(name) for name in names]
    assert len(set(found)) == len(names)
    assert all(re.fullmatch('[0-9a-f]{10}', pseudonym) for pseudonym in found)


def test_the_salt_decides_and_is_random_by_default() -> None:
    by_salt = [Pseudonyms(salt).pseudonym('Doe^Jane') for salt in (b'a', b'a', b'b', None, None)]
    assert by_salt[0] == by_salt[1]
    assert len(set(by_salt)) == 4


def test_the_salt_cannot_be_read_from_outside() -> None:
    pseudonyms = Pseudonyms(b'secret salt')
    assert 'secret' not in repr(pseudonyms) + str(pseudonyms)


@pytest.mark.parametrize('name', ['', 'Müller^Jürgen', '山田^太郎', 'caf\udce9.avi'])
def test_any_file_name_has_a_pseudonym(name: str) -> None:
    assert len(Pseudonyms().pseudonym(name)) == 10


def test_a_uid_is_valid_and_stable() -> None:
    pseudonyms = Pseudonyms()
    uid = pseudonyms.uid('1.2.840.113619.2')
    assert UID(uid).is_valid
    assert uid == pseudonyms.uid('1.2.840.113619.2') != Pseudonyms().uid('1.2.840.113619.2')
