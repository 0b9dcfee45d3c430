"""Folds by patient: contiguous, stratified, and exchanged by CSV."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echocardmae_mm.datasets.csv_table import write_patient_column
from echocardmae_mm.datasets.patient_folds import contiguous_folds, read_folds, stratified_folds
from echocardmae_mm.utils.errors import UserError

NAMES = [f'patient{i:04d}' for i in range(1, 501)]


def test_the_folds_of_camus_are_coreechos_blocks_of_fifty():
    folds = contiguous_folds(NAMES, 10)
    for k in range(10):
        held_out = [name for name in NAMES if folds[name] == k]
        assert held_out == NAMES[50 * k : 50 * (k + 1)]


@st.composite
def labelled_patients(draw):
    """Number of folds, and (patient, label) of each recording; a patient's share one label."""
    num_folds = draw(st.integers(2, 6))
    counts = draw(
        st.tuples(*[st.lists(st.integers(1, 3), min_size=num_folds, max_size=30) for _ in range(2)])
    )
    recordings = [
        (f'{label}-{index}', label)
        for label, patients in enumerate(counts)
        for index, count in enumerate(patients)
        for _ in range(count)
    ]
    return num_folds, draw(st.permutations(recordings))


@given(drawn=labelled_patients(), seed=st.integers(0, 2**32 - 1))
def test_stratified_folds_balance_labels_and_keep_patients_together(drawn, seed):
    num_folds, recordings = drawn
    folds = stratified_folds(*zip(*recordings), num_folds, seed)
    assert set(folds) == {patient for patient, _ in recordings}
    assert folds == stratified_folds(*zip(*sorted(recordings)), num_folds, seed)
    for label in (0, 1):
        counts = Counter(folds[patient] for patient, its_label in recordings if its_label == label)
        of_a_patient = Counter(patient for patient, its_label in recordings if its_label == label)
        assert set(counts) == set(range(num_folds))
        assert max(counts.values()) - min(counts.values()) <= max(of_a_patient.values())


def test_a_patient_with_both_labels_stays_in_one_fold():
    patients = [*NAMES[:20], *NAMES[:20]]
    folds = stratified_folds(patients, [0] * 20 + [1] * 20, 5)
    assert set(folds) == set(NAMES[:20])
    assert set(Counter(folds.values()).values()) == {4}


def test_stratified_folds_differ_by_seed():
    drawn = [stratified_folds(NAMES, [i % 3 == 0 for i in range(500)], 5, s) for s in (0, 0, 1)]
    assert drawn[0] == drawn[1]
    moved = sum(drawn[0][name] != drawn[2][name] for name in NAMES)
    assert 350 < moved < 450


@pytest.mark.parametrize(
    ('labels', 'num_folds', 'fewest'), [('0001', 2, 1), ('0011', 3, 2), ('0011', 1, 2), ('', 2, 0)]
)
def test_too_few_patients_of_a_label_are_refused(labels, num_folds, fewest):
    patients = NAMES[: len(labels)]
    with pytest.raises(UserError, match=rf'num_folds={num_folds} for .* {fewest} of whom'):
        stratified_folds(patients, [int(label) for label in labels], num_folds)


def test_folds_can_be_written_and_read_back(tmp_path):
    folds = contiguous_folds(NAMES[:7], 3)
    write_patient_column(tmp_path / 'folds.csv', 'fold', folds)
    assert (tmp_path / 'folds.csv').read_text().splitlines()[:2] == [
        'patient,fold',
        'patient0001,0',
    ]
    assert read_folds(tmp_path / 'folds.csv', NAMES[:5]) == {n: folds[n] for n in NAMES[:5]}


def test_folds_that_are_no_numbers_are_named(tmp_path):
    path = tmp_path / 'folds.csv'
    path.write_text('patient,fold\na,first\nb,1\n')
    with pytest.raises(UserError, match=f'{path}: column fold must contain integers'):
        read_folds(path, ['a', 'b'])


@pytest.mark.parametrize('num_folds', [0, 1, 8])
def test_impossible_numbers_of_folds_are_refused(num_folds):
    with pytest.raises(UserError, match=rf'num_folds={num_folds} for 7 patients'):
        contiguous_folds(NAMES[:7], num_folds)
