"""Folds by patient: contiguous blocks, exchange by CSV, and a test side that selects nothing."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from echocardmae_mm.datasets.patient_folds import (
    contiguous_folds,
    patients_of_split,
    read_folds,
    stratified_folds,
    write_folds,
)
from echocardmae_mm.errors import EchoError

NAMES = [f'patient{i:04d}' for i in range(1, 501)]


def test_the_folds_of_camus_are_coreechos_blocks_of_fifty():
    folds = contiguous_folds(NAMES, 10)
    for k in range(10):
        held_out = [name for name in NAMES if folds[name] == k]
        assert held_out == NAMES[50 * k : 50 * (k + 1)]


@given(
    classes=st.lists(st.tuples(st.booleans(), st.integers(1, 3)), min_size=12, max_size=60),
    num_folds=st.integers(2, 5),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_stratified_folds_hold_a_share_of_each_class_and_no_half_patients(
    classes, num_folds, seed, data
):
    recordings = [
        (f'{i}', int(sick)) for i, (sick, count) in enumerate(classes) for _ in range(count)
    ]
    sick = sum(label for _, label in recordings)
    assume(min(sick, len(recordings) - sick) >= 5 * num_folds)
    folds = stratified_folds(*zip(*recordings), num_folds, seed)
    assert folds.keys() == {patient for patient, _ in recordings}
    shuffled = data.draw(st.permutations(recordings))
    assert stratified_folds(*zip(*shuffled), num_folds, seed) == folds
    for label in (0, 1):
        held_out = [folds[patient] for patient, its in recordings if its == label]
        counts = [held_out.count(fold) for fold in range(num_folds)]
        # A patient has up to three recordings, and goes as a whole.
        assert max(counts) - min(counts) <= 6


@given(count=st.integers(2, 80), data=st.data())
def test_every_patient_is_on_one_side_of_each_fold_and_tested_once(count, data):
    names = NAMES[:count]
    num_folds = data.draw(st.integers(2, count))
    share = data.draw(st.sampled_from([0.0, 0.1, 0.3]))
    folds = contiguous_folds(names[::-1], num_folds)
    tested = []
    for fold in range(num_folds):
        test = patients_of_split(folds, fold, 'test', share)
        tested += test
        sides = [test]
        for split in ('train', 'val'):
            try:
                sides.append(patients_of_split(folds, fold, split, share))
            except EchoError:
                sides.append(set())
        assert sum(map(len, sides)) == count
        assert set().union(*sides) == set(names)
        if share:
            assert len(sides[2]) == max(1, round(share * (count - len(test))))
    assert sorted(tested) == names
    sizes = [list(folds.values()).count(fold) for fold in range(num_folds)]
    assert max(sizes) - min(sizes) <= 1


def test_validating_patients_are_drawn_anew_for_each_fold_and_seed_and_always_the_same():
    folds = contiguous_folds(NAMES, 10)
    drawn = [patients_of_split(folds, 0, 'val', 0.1, seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert len(drawn[0]) == 45
    assert len(drawn[0] & patients_of_split(folds, 1, 'VAL', 0.1)) < 20


def test_exchange_by_file(tmp_path):
    folds = contiguous_folds(NAMES[:7], 3)
    write_folds(tmp_path / 'folds.csv', folds)
    assert (tmp_path / 'folds.csv').read_text().splitlines()[:2] == [
        'patient,fold',
        'patient0001,0',
    ]
    assert read_folds(tmp_path / 'folds.csv', NAMES[:5]) == {n: folds[n] for n in NAMES[:5]}


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (None, 'no such file; expected a CSV'),
        ('name,fold\na,0\n', 'columns patient and fold'),
        ('patient,fold\na,first\n', 'columns patient and fold'),
        ('patient,fold\na,0\na,1\n', 'patient a is there twice'),
        ('patient,fold\na,0\n', 'patients have no fold, such as b'),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path, text, message):
    path = tmp_path / 'folds.csv'
    if text is not None:
        path.write_text(text)
    with pytest.raises(EchoError, match=message) as error:
        read_folds(path, ['a', 'b'])
    assert str(path) in str(error.value)


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
def test_impossible_sides_are_refused(fold, split, share, message):
    folds = contiguous_folds(NAMES[:9], 3)
    with pytest.raises(EchoError, match=message):
        patients_of_split(folds, fold, split, share)


@pytest.mark.parametrize('num_folds', [0, 1, 8])
def test_impossible_numbers_of_folds_are_refused(num_folds):
    with pytest.raises(EchoError, match=rf'{num_folds} folds of 7 patients'):
        contiguous_folds(NAMES[:7], num_folds)
