"""Workbooks of HMC-QU are read by position, in either coding of the segments."""

import openpyxl
import pytest

from echocardmae_mm.datasets.hmc_qu_workbook import EchoRow, read_workbook
from echocardmae_mm.errors import EchoError

HEADER = (['ECHO', *'123567', 'One cardiac-cycle frames', None, 'Masks'], [None] * 7 + ['START'])


@pytest.fixture
def write(tmp_path):
    def write(*rows):
        book = openpyxl.Workbook()
        for row in (*HEADER, *rows):
            book.active.append(list(row))
        book.save(tmp_path / 'A4C.xlsx')
        return tmp_path / 'A4C.xlsx'

    return write


@pytest.mark.parametrize(('normal', 'abnormal'), [(0, 1), (1, 2), ('1', '2')])
def test_both_codings(write, normal, abnormal):
    path = write(
        ['ES0001 _4CH_1', *[normal] * 5, abnormal, 3, 24, 'ü'],
        ['ES000153 n_4CH_3', *[normal] * 6, 1, 20, None],
        [None] * 10,
        ['ES0007_4CH_1', *[None] * 6, 9, 9, ' '],
    )
    assert read_workbook(path) == [
        EchoRow('ES0001 _4CH_1', True, (2, 23), True),
        EchoRow('ES000153 n_4CH_3', False, (0, 19), False),
        EchoRow('ES0007_4CH_1', None, None, False),
    ]


def test_a_workbook_without_the_last_column(write):
    path = write(['ES0001_CH2_1', *[0] * 6, 1, 20])
    assert read_workbook(path) == [EchoRow('ES0001_CH2_1', False, (0, 19), False)]


@pytest.mark.parametrize(
    ('cells', 'message'),
    [
        ([0, 1, 2, 0, 0, 0], 'segments hold 0, 1, 2; expected 0 and 1, or 1 and 2'),
        ([0, 1, 3, 0, 0, 0], 'segments hold 0, 1, 3'),
        ([0, 'x', 1, 0, 0, 0], 'a segment of ES0001_4CH_1 holds no number'),
    ],
)
def test_other_codes_are_named(write, cells, message):
    with pytest.raises(EchoError, match=message):
        read_workbook(write(['ES0001_4CH_1', *cells, 1, 20, 'ü']))


def test_what_is_no_workbook(write, tmp_path):
    with pytest.raises(EchoError, match='no rows of recording, six segments'):
        read_workbook(write())
    (tmp_path / 'A4C.xlsx').write_bytes(b'PK\x03\x04 cut off')
    with pytest.raises(EchoError, match=r'A4C\.xlsx: not a workbook'):
        read_workbook(tmp_path / 'A4C.xlsx')
