"""CSV lists as their owners write them."""

import pytest

from echocardmae_mm.datasets.csv_table import read_patient_column, read_table
from echocardmae_mm.utils.errors import UserError


def test_case_order_blanks_and_short_rows_are_tolerated(tmp_path):
    path = tmp_path / 'list.csv'
    path.write_text('\ufeffOther, ef ,FILENAME\nx,nan,a\ny\n', encoding='utf-8')
    table = read_table(path, ('FileName', 'EF'))
    assert table.to_dict('records') == [
        {'Other': 'x', 'EF': 'nan', 'FileName': 'a'},
        {'Other': 'y', 'EF': '', 'FileName': ''},
    ]


def test_longer_rows_do_not_shift_columns(tmp_path):
    path = tmp_path / 'list.csv'
    path.write_text('a,b\n1,2,\n3,4,\n')
    assert read_table(path, ('a', 'b')).to_numpy().tolist() == [['1', '2'], ['3', '4']]


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (None, 'no such file; expected a CSV file with the columns patient and fold'),
        ('', 'missing column patient, fold; found nothing'),
        ('patient,age\na,1\n', 'missing column fold; found patient, age'),
        ('"first\nname",age\na,1\n', 'missing column patient, fold; found first name, age$'),
        ('patient;fold\na;1\n', 'missing .*; found patient;fold\nSeparate the columns by commas$'),
        ('patient,fold\na,0\na,1\n', 'patient a is listed twice'),
        ('patient,fold\nb,0\n', '1 patients have no fold, such as a'),
    ],
)
def test_faults_are_named(tmp_path, text, message):
    path = tmp_path / 'folds.csv'
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=f'{path}: {message}'):
        read_patient_column(path, 'fold', ['a'])


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('patient,split\na,b,train\n', 'line 2: more cells than the header'),
        ('patient,split\na,train\nb,c,train\n', 'not a CSV file'),
        ('patient,Patient,split\na,b,train\n', 'several columns are named patient; expected one'),
    ],
)
def test_a_list_that_could_be_misread_is_refused(tmp_path, text, message):
    (tmp_path / 'list.csv').write_text(text)
    with pytest.raises(UserError, match=rf'list\.csv(:|,) {message}'):
        read_table(tmp_path / 'list.csv', ('patient', 'split'))
