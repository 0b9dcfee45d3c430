"""HMC-QU in both layouts: labels, cycles, patients and their folds."""

import logging
import shutil

import numpy as np
import openpyxl
import pytest

from echocardmae_mm.datasets import HMCQUDataset
from echocardmae_mm.datasets.patient_folds import write_folds
from echocardmae_mm.errors import EchoError

READING = [
    dict(type='echocardmae_mm.OpenRecording'),
    dict(type='echocardmae_mm.SampleEvenClips', num_clips=1, clip_len=4, span='cycle'),
    dict(type='echocardmae_mm.ReadFrames'),
]


def name_of(number: int) -> str:
    """Names as irregular as the real ones; of the even numbers, which are normal, with a letter."""
    return f'ES{number:06d} n_4CH_3' if number % 2 == 0 else f'ES{number:04d} _4CH_1'


@pytest.fixture(scope='module')
def recordings(tmp_path_factory, make_video):
    """Videos of patients 1 to 12; of patient 1 there are two."""
    folder = tmp_path_factory.mktemp('recordings')
    for number in range(1, 13):
        make_video(folder / f'{name_of(number)}.avi', 26, seed=number)
    make_video(folder / 'ES0001_4CH_2.avi', 26, seed=99)
    return folder


def rows() -> list[list]:
    table = [
        [name_of(n), *[n % 2, 0, 0, 0, 0, 0], 3, 24, 'ü' if n <= 10 else None] for n in range(1, 13)
    ]
    return [*table, ['ES0001_4CH_2', 0, 0, 0, 0, 0, 1, 1, 20, 'ü']]


def write(path, table):
    book = openpyxl.Workbook()
    for row in (['ECHO'], [None, 'START'], *table):
        book.active.append(row)
    book.save(path)


@pytest.fixture(params=['new', 'old'])
def root(request, tmp_path, recordings):
    new = request.param == 'new'
    folder = tmp_path / ('HMC-QU/A4C' if new else 'HMC-QU Echos/HMC-QU Echos')
    shutil.copytree(recordings, folder)
    write(tmp_path / ('A4C.xlsx' if new else 'HMC_QU.xlsx'), rows())
    return tmp_path


def infos(root, **options):
    dataset = HMCQUDataset(data_root=str(root), **options)
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def test_recordings_with_a_traced_wall_their_labels_and_patients(root):
    found = infos(root)
    assert [info['patient'] for info in found] == [*map(str, range(1, 11)), '1']
    assert [info['label'] for info in found] == [1, 0] * 5 + [1]
    assert {info['view'] for info in found} == {'A4C'}
    assert found[0]['cycle'] == (2, 23)
    assert len(infos(root, traced_only=False)) == 13


def test_letters_in_the_name_are_not_read(root, recordings):
    table = rows()
    for row in table:
        row[1] = 1 - row[1] if row[0] != 'ES0001_4CH_2' else row[1]
    write(next(root.glob('*.xlsx')), table)
    assert [info['label'] for info in infos(root)] == [0, 1] * 5 + [1]


def test_the_clip_is_the_given_cycle(root):
    dataset = HMCQUDataset(data_root=str(root), pipeline=READING)
    assert np.ravel(dataset[0]['frame_inds']).tolist() == [2, 9, 16, 23]


def test_patients_are_split_and_every_fold_has_both_classes(root):
    seen: list[str] = []
    for fold in range(3):
        held_out = infos(root, fold=fold, split='test', num_folds=3)
        others = infos(root, fold=fold, split='TRAIN', num_folds=3)
        patients = {info['patient'] for info in held_out}
        assert patients.isdisjoint(info['patient'] for info in others)
        assert len(held_out) + len(others) == 11
        assert {info['label'] for info in held_out} == {0, 1}
        seen += patients
    assert sorted(map(int, seen)) == [*range(1, 11)]


def test_an_inner_split_validates(root):
    sides = [
        {info['patient'] for info in infos(root, fold=0, split=s, num_folds=3, val_share=0.3)}
        for s in ('train', 'val', 'test')
    ]
    assert len(set.union(*sides)) == sum(map(len, sides)) == 10
    with pytest.raises(EchoError, match='set val_share above 0'):
        infos(root, fold=0, split='val', num_folds=3)


def test_folds_of_ones_own(root, tmp_path):
    folds = {str(n): int(n > 5) for n in range(1, 11)}
    write_folds(tmp_path / 'folds.csv', folds)
    held_out = infos(root, fold=1, split='test', fold_file=str(tmp_path / 'folds.csv'))
    assert [info['patient'] for info in held_out] == [str(n) for n in range(6, 11)]


def test_what_cannot_be_used_is_told_and_counted(root):
    next(root.rglob('ES0003*')).unlink()
    table = rows()
    table[1][1:7] = [None] * 6
    table[4][7:9] = [20, 3]
    write(next(root.glob('*.xlsx')), table)
    dataset = HMCQUDataset(data_root=str(root))
    assert len(dataset) == 8
    for reason in ('missing on disk', 'without a coded segment', 'without a cycle'):
        assert dataset.report[f'{reason} (dropped)'] == 1


def test_other_numbers_than_the_published_are_warned_about(root, monkeypatch):
    said = []
    monkeypatch.setattr(
        'echocardmae_mm.datasets.hmc_qu.print_log', lambda *words: said.append(words)
    )
    infos(root, traced_only=False)
    assert not said
    infos(root)
    ((text, _, level),) = said
    assert level == logging.WARNING
    assert (
        '6 infarctions and 5 normal recordings with a traced wall; published are 72 and 37' in text
    )


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(view='PLAX'), "view='PLAX' is unknown"),
        (dict(view='A2C'), 'walls are traced in A4C alone'),
        (dict(view='A2C', traced_only=False), r'A2C\.xlsx: not found; HMC-QU is on Kaggle'),
        (dict(fold=0), 'fold and split go together'),
        (dict(fold=3, split='test', num_folds=3), 'fold=3 does not exist'),
        (dict(fold=0, split='test', num_folds=6), '6 folds of 10 patients, 5 recordings of the'),
    ],
)
def test_wrong_words(root, options, message):
    with pytest.raises(EchoError, match=message):
        infos(root, **options)


def test_without_recordings_it_says_so(root):
    for path in root.rglob('*.avi'):
        path.unlink()
    with pytest.raises(EchoError, match='none of its 11 recordings can be used') as error:
        infos(root)
    assert len(str(error.value).splitlines()) == 2
