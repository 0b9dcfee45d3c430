"""Splits of patients, drawn, stored and read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echocardmae_mm.datasets.patient_split import draw_split, read_split, write_split
from echocardmae_mm.utils.errors import UserError

NAMES = [f'p{i:03d}' for i in range(60)]


@given(st.permutations(NAMES), st.integers(0, 5))
def test_the_draw_depends_on_patients_and_seed_alone(names, seed):
    split = draw_split(names, NAMES[:10], 0.1, seed)
    assert split == draw_split(NAMES, NAMES[:10], 0.1, seed)
    sides = [{p for p, s in split.items() if s == side} for side in ('train', 'val', 'test')]
    assert sides[2] == set(NAMES[:10])
    assert [len(side) for side in sides] == [45, 5, 10]


def test_another_seed_is_another_draw():
    assert draw_split(NAMES, NAMES[:10], seed=0) != draw_split(NAMES, NAMES[:10], seed=1)


def test_what_is_written_is_read(tmp_path):
    split = draw_split(NAMES, NAMES[:3])
    write_split(tmp_path / 'split.csv', split)
    assert read_split(tmp_path / 'split.csv', NAMES) == split
    assert read_split(tmp_path / 'split.csv', NAMES[:5]) == {p: split[p] for p in NAMES[:5]}


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('patient,fold\na,1\n', 'expected the columns patient and split, found patient, fold'),
        ('patient,split\na,training\n', "split 'training' is none of"),
        ('patient,split\na,train\na,val\n', 'patient a is there twice'),
        ('patient,split\nb,train\n', '1 patients are not in it, such as a'),
    ],
)
def test_what_is_no_split_is_refused(tmp_path, text, message):
    (tmp_path / 'split.csv').write_text(text)
    with pytest.raises(UserError, match=message):
        read_split(tmp_path / 'split.csv', ['a'])
