"""Damaged text and JSON files."""

import pytest

from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.text_files import read_json, read_text


def test_text_with_a_byte_order_mark(tmp_path):
    (tmp_path / 'a.txt').write_text('Ä', encoding='utf-8-sig')
    assert read_text(tmp_path / 'a.txt') == 'Ä'


def test_text_in_another_encoding_is_refused(tmp_path):
    (tmp_path / 'a.txt').write_text('a Ä', encoding='latin-1')
    with pytest.raises(UserError, match=r'a\.txt: byte 2 is not UTF-8; save it as UTF-8'):
        read_text(tmp_path / 'a.txt')


@pytest.mark.parametrize('content', ['', '{"a": 1', '[1]', 'null', '{"a": 1}}', '"Ä"'])
def test_damaged_json_is_refused(content, tmp_path):
    (tmp_path / 'a.json').write_text(content, encoding='latin-1')
    with pytest.raises(UserError, match=r'a\.json: ') as error:
        read_json(tmp_path / 'a.json')
    assert len(str(error.value).splitlines()) == 1
