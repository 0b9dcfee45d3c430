"""Splits of patients: of a fold, drawn, written and read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echocardmae_mm.datasets.csv_table import write_patient_column
from echocardmae_mm.datasets.patient_folds import contiguous_folds
from echocardmae_mm.datasets.patient_split import draw_split, patients_of_split, read_split
from echocardmae_mm.utils.errors import UserError

NAMES = [f'p{i:03d}' for i in range(60)]
PATIENTS = [f'patient{i:04d}' for i in range(1, 501)]


@given(st.permutations(NAMES), st.integers(0, 5))
def test_the_split_depends_only_on_patients_and_seed(names, seed):
    split = draw_split(names, NAMES[:10], 0.1, seed)
    assert split == draw_split(NAMES, NAMES[:10], 0.1, seed)
    splits = [{p for p, s in split.items() if s == side} for side in ('train', 'val', 'test')]
    assert splits[2] == set(NAMES[:10])
    assert [len(side) for side in splits] == [45, 5, 10]


def test_another_seed_gives_another_split():
    assert draw_split(NAMES, NAMES[:10], seed=0) != draw_split(NAMES, NAMES[:10], seed=1)


def test_a_written_split_is_read_back(tmp_path):
    split = draw_split(NAMES, NAMES[:3])
    write_patient_column(tmp_path / 'split.csv', 'split', split)
    assert read_split(tmp_path / 'split.csv', NAMES) == split
    assert read_split(tmp_path / 'split.csv', NAMES[:5]) == {p: split[p] for p in NAMES[:5]}


def test_an_unknown_split_is_named(tmp_path):
    (tmp_path / 'split.csv').write_text('patient,split\na,training\n')
    with pytest.raises(UserError, match="split 'training' is unknown"):
        read_split(tmp_path / 'split.csv', ['a'])


@given(count=st.integers(2, 80), data=st.data())
def test_patients_are_in_one_split_per_fold_and_tested_once(count, data):
    names = PATIENTS[:count]
    num_folds = data.draw(st.integers(2, count))
    share = data.draw(st.sampled_from([0.0, 0.1, 0.3]))
    folds = contiguous_folds(names[::-1], num_folds)
    tested = []
    for fold in range(num_folds):
        test = patients_of_split(folds, fold, 'test', share)
        tested += test
        splits = [test]
        for split in ('train', 'val'):
            try:
                splits.append(patients_of_split(folds, fold, split, share))
            except UserError:
                splits.append(set())
        assert sum(map(len, splits)) == count
        assert set().union(*splits) == set(names)
        if share:
            assert len(splits[2]) == max(1, round(share * (count - len(test))))
    assert sorted(tested) == names
    sizes = [list(folds.values()).count(fold) for fold in range(num_folds)]
    assert max(sizes) - min(sizes) <= 1


def test_validation_patients_depend_on_fold_and_seed_only():
    folds = contiguous_folds(PATIENTS, 10)
    drawn = [patients_of_split(folds, 0, 'val', 0.1, seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert len(drawn[0]) == 45
    assert len(drawn[0] & patients_of_split(folds, 1, 'VAL', 0.1)) < 20


@pytest.mark.parametrize(
    ('fold', 'split', 'share', 'message'),
    [
        (3, 'test', 0.1, r'fold=3 does not exist: the 3 folds are 0 to 2'),
        (-1, 'test', 0.1, 'fold=-1 does not exist'),
        (0, 'testing', 0.1, "split='testing' is unknown"),
        (0, 'val', 0.0, 'set val_share above 0'),
        (0, 'train', 1.0, 'val_share=1.0 must lie between'),
    ],
)
def test_impossible_splits_are_refused(fold, split, share, message):
    folds = contiguous_folds(PATIENTS[:9], 3)
    with pytest.raises(UserError, match=message):
        patients_of_split(folds, fold, split, share)
