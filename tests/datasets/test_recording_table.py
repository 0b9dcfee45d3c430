"""A table of recordings: what is read, and which mistakes are named."""

from __future__ import annotations

import pytest

from echocardmae_mm.datasets.recording_table import read_recording_table, read_spacing
from echocardmae_mm.utils.errors import UserError


@pytest.fixture
def read(tmp_path):
    """``read(text, *required)`` reads a table beside the empty recordings a.avi, b.avi, c/d.avi."""
    for name in ('a.avi', 'b.avi', 'c/d.avi'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    def read_text(text: str, *required: str):
        (tmp_path / 'labels.csv').write_text(text)
        return read_recording_table(tmp_path / 'labels.csv', tmp_path, required)

    return read_text


def test_known_columns_are_read_in_any_case_and_order(read, tmp_path):
    rows = read('age,EF,Path\n60, 55.5 ,a.avi\n61,nan,c/d.avi\n')
    assert rows == [
        {'path': 'a.avi', 'ef': '55.5', 'line': '2', 'filename': str(tmp_path / 'a.avi')},
        {'path': 'c/d.avi', 'ef': '', 'line': '3', 'filename': str(tmp_path / 'c/d.avi')},
    ]


@pytest.mark.parametrize(
    ('cell', 'spacing'), [('0.3', (0.3, 0.3)), ('0.3;0.4', (0.3, 0.4)), ('0.3; 0.4', (0.3, 0.4))]
)
def test_spacing_is_one_number_or_height_and_width(cell, spacing):
    assert read_spacing({'spacing': cell}) == spacing


@pytest.mark.parametrize(
    ('text', 'required', 'message'),
    [
        ('file,ef\na.avi,5\n', [], r'labels\.csv: missing column path; found file, ef$'),
        ('path\na.avi\n', ['ef'], r'labels\.csv: missing column ef; found path$'),
        ('path,ef\n', [], r'labels\.csv: no rows; expected one row per recording$'),
        ('path,EF,ef\na.avi,5,6\n', [], r'labels\.csv: has 2 columns ef; expected one$'),
        (
            'path,patient_id\na.avi,5\n',
            [],
            r'column patient_id is unknown; did you mean patient\?\nRename it',
        ),
        ('path,ef\n,5\n', [], r'line 2: path is empty; expected the file of a recording$'),
        (
            'path,ef\na.avi,50\nb.avi,\n',
            ['ef'],
            r'labels\.csv, line 3 \(b\.avi\): ef is empty; expected a number from 0 to 100',
        ),
        ('path,ef\na.avi,NaN\n', ['ef'], r'line 2 \(a\.avi\): ef is empty'),
        ('path,label\na.avi,nan\n', ['label'], r'label is empty; expected the name or number of a'),
        ('path,ef\na.avi,105\n', [], r"ef is '105'; expected a number from 0 to 100, in per cent$"),
        ('path,ef\na.avi,"55,5"\n', [], r"ef is '55,5'; expected a number"),
        ('path,ef\na.avi,0.5\nb.avi,0.61\n', [], r'no ef exceeds 0\.61; expected per cent'),
        ('path,fps\na.avi,0\n', [], r"fps is '0'; expected a number above 0"),
        ('path,spacing\na.avi,0.3x0.3\n', [], r"spacing is '0\.3x0\.3'; expected millimetres"),
        ('path,spacing\na.avi,0.3;-1\n', [], r"spacing is '0\.3;-1'; expected millimetres"),
        ('path,patient\na.avi,\n', [], r'patient is empty; expected the name or number of a pat'),
        ('path,split\na.avi,\n', [], r'split is empty; expected train, val or test$'),
        ('path,split\na.avi,dev\n', [], r"split is 'dev'; expected train, val or test$"),
        (
            'path,patient,split\na.avi,p1,train\nb.avi,p2,test\nc/d.avi,p1,TEST\n',
            [],
            r'line 4: patient p1 is in split TEST, but in line 2 in split train\nPut all',
        ),
        (
            'path\na.avi\nb.avi\nc/../a.avi\n',
            [],
            r'line 4: c/\.\./a\.avi is listed in line 2 already; expected one row per recording$',
        ),
        (
            'path\na.avi\ne.avi\n',
            [],
            r'line 3: \S+e\.avi does not exist \(1 of 2 recordings are missing\)\nPaths are rel',
        ),
    ],
)
def test_a_mistake_is_named(read, text, required, message):
    with pytest.raises(UserError, match=message) as error:
        read(text, *required)
    assert len(str(error.value).splitlines()) <= 2


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(UserError, match=r'no such file; expected .* columns path and ef\nSet ann_'):
        read_recording_table(tmp_path / 'none.csv', tmp_path, ['ef'])
