"""The workbooks of HMC-QU, written here cell by cell as their owners ship them."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from echocardmae_mm.datasets.hmc_qu_workbook import read_hmc_qu_workbook
from echocardmae_mm.utils.errors import UserError
from tests.helpers.hmc_qu import HEADER, write_workbook

A_ROW = ['ES0001 _4CH_1', 1, 0, 0, 0, 0, 0, 3, 24, 'ü']


def write(path: Path, *rows: list, header: list = HEADER) -> Path:
    return write_workbook(path, rows, header)


@pytest.mark.parametrize('as_cell', [int, float, str])
@pytest.mark.parametrize('normal', [0, 1])
def test_both_codings_of_the_segments(tmp_path, normal, as_cell):
    abnormal = [(1, 0, 0, 1, 0, 0), (0, 0, 0, 0, 0, 0)]
    rows = [
        [f'ES000{i}_4CH_1', *(as_cell(code + normal) for code in codes), 1, 20]
        for i, codes in enumerate(abnormal, start=1)
    ]
    read = read_hmc_qu_workbook(write(tmp_path / 'A4C.xlsx', *rows))
    assert [row.abnormal for row in read] == [tuple(map(bool, codes)) for codes in abnormal]
    assert [row.label for row in read] == [1, 0]


def test_a_workbook_of_only_ones_is_read_as_abnormal(tmp_path):
    path = write(tmp_path / 'A4C.xlsx', ['ES0001 _4CH_1', *[1] * 6, 3, 24])
    assert [row.label for row in read_hmc_qu_workbook(path)] == [1]


@pytest.mark.parametrize(
    ('stem', 'patient'),
    [
        ('ES0001 _4CH_1', '1'),
        ('ES00010 _4CH_1 ', '10'),
        ('ES000153 n_4CH_3', '153'),
        ('ES00080 N_2CH_2', '80'),
        ('ES0001_CH2_1', '1'),
        ('ES000120_4CH_1', '120'),
    ],
)
def test_the_patient_is_the_number_of_the_stem(tmp_path, stem, patient):
    (row,) = read_hmc_qu_workbook(write(tmp_path / 'A4C.xlsx', [stem, *A_ROW[1:]]))
    assert (row.stem, row.patient) == (stem.strip(), patient)


@pytest.mark.parametrize(
    ('start', 'end', 'cycle'),
    [
        (3, 24, (2, 23)),
        (1, 2, (0, 1)),
        (3.0, '24', (2, 23)),
        (24, 3, None),
        (5, 5, None),
        (0, 20, None),
        (None, 20, None),
        ('3-24', None, None),
        (3.5, 20, None),
    ],
)
def test_the_cycle_counts_from_zero_and_an_impossible_one_is_none(tmp_path, start, end, cycle):
    (row,) = read_hmc_qu_workbook(write(tmp_path / 'A4C.xlsx', [*A_ROW[:7], start, end]))
    assert row.cycle == cycle
    assert (row.start, row.end) == (start, end)


@pytest.mark.parametrize(
    ('mark', 'is_traced'), [('ü', True), (' ü ', True), (None, False), ('û', False)]
)
def test_only_a_tick_means_traced(tmp_path, mark, is_traced):
    (row,) = read_hmc_qu_workbook(write(tmp_path / 'A4C.xlsx', [*A_ROW[:9], mark]))
    assert row.is_traced is is_traced


def test_rows_without_a_recording_are_skipped(tmp_path):
    path = write(tmp_path / 'A4C.xlsx', A_ROW, [None] * 10, ['Total', 7, 7, 7])
    assert [row.stem for row in read_hmc_qu_workbook(path)] == [A_ROW[0]]


def test_a_stray_cell_far_away_is_ignored(tmp_path):
    path = write(tmp_path / 'A4C.xlsx', A_ROW)
    workbook = openpyxl.load_workbook(path)
    workbook.active['XFD1048576'] = 'x'
    workbook.save(path)
    assert len(read_hmc_qu_workbook(path)) == 1


@pytest.mark.parametrize(('codes', 'label'), [('0 0000', None), ('0 0100', 1), ('000000', 0)])
def test_an_empty_segment_makes_the_label_unknown(tmp_path, codes, label):
    cells = [None if code == ' ' else int(code) for code in codes]
    rows = read_hmc_qu_workbook(write(tmp_path / 'A4C.xlsx', ['ES0002_4CH_1', *cells, 1, 20]))
    assert [row.label for row in rows] == [label]


def test_a_header_of_one_row_loses_no_recording(tmp_path):
    rows = read_hmc_qu_workbook(write(tmp_path / 'A4C.xlsx', A_ROW, header=HEADER[:1]))
    assert [row.stem for row in rows] == [A_ROW[0]]


def spoilt(place: int, cell: object, **kwargs: object):
    def make(path: Path) -> Path:
        row = list(A_ROW)
        row[place] = cell
        return write(path, ['ES0002_4CH_1', *[0] * 6, 1, 20], row, **kwargs)

    return make


def cut_off(path: Path) -> Path:
    path.write_bytes(write(path, A_ROW).read_bytes()[:-100])
    return path


def words(path: Path) -> Path:
    path.write_text('words')
    return path


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (spoilt(2, 3), r'cell C4 is 3; expected a segment, 0 for normal or 1 for abnormal'),
        (spoilt(1, 0.5), 'cell B4 is 0.5; expected a segment'),
        (spoilt(1, 'normal'), "cell B4 is 'normal'; expected a segment"),
        (spoilt(1, 2), 'cell B3 is 0; expected a segment, 1 for normal or 2 for abnormal'),
        (
            spoilt(1, 1, header=[['name', 'age'], []]),
            'expected the cardiac cycle in the eighth column; found name, age',
        ),
        (lambda path: write(path), 'contains no recording; expected rows that begin with'),
        (cut_off, 'not a workbook'),
        (words, 'not a workbook'),
        (lambda path: path, 'not a workbook'),
    ],
)
def test_errors_name_the_fault(tmp_path, make, message):
    path = make(tmp_path / 'A4C.xlsx')
    with pytest.raises(UserError, match=message) as error:
        read_hmc_qu_workbook(path)
    assert str(error.value).startswith(f'{path}: ')
    assert len(str(error.value).splitlines()) <= 2
