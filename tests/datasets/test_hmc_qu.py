"""HMC-QU for myocardial infarction, in both layouts, written here as its owners ship it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from mmengine.logging import MMLogger

from echocardmae_mm.datasets import HMCQUDataset
from echocardmae_mm.datasets.csv_table import write_patient_column
from echocardmae_mm.phantom import hmcqu_files
from echocardmae_mm.utils.errors import UserError
from tests.helpers.hmc_qu import write_workbook

FRAMES = 30
NEW, OLD = 'A4C.xlsx', 'HMC_QU.xlsx'
FOLDERS = {NEW: 'HMC-QU/A4C', OLD: 'HMC-QU Echos/HMC-QU Echos', 'A2C.xlsx': 'HMC-QU/A2C'}
# Stem, abnormal segments, cycle, tick; the letters contradict the labels on purpose.
ROWS = [
    ('ES0001 _4CH_1', '000000', (3, 24), 'ü'),
    ('ES00010 _4CH_2', '010000', (1, 20), 'ü'),
    ('ES000153 n_4CH_3', '100001', (2, 21), None),
    ('ES000101_4CH_1', '000000', (5, 30), 'ü'),
    ('ES00099 N_4CH_1', '000010', (5, 16), 'ü'),
    ('ES00012 _4CH_1', '000000', (4, 19), None),
]
SPANNING = [
    dict(type='echocardmae_mm.RecordingInit'),
    dict(type='echocardmae_mm.SampleUniformClips', num_clips=1, clip_len=8, span='cycle'),
]


def cells(rows: Sequence[tuple] = ROWS, normal: int = 0) -> Iterator[list]:
    for stem, segments, cycle, tick in rows:
        codes = (None if code == ' ' else int(code) + normal for code in segments)
        yield [stem, *codes, *cycle, tick]


@pytest.fixture(scope='module')
def video(tmp_path_factory, make_video) -> Path:
    return make_video(tmp_path_factory.mktemp('video') / 'x.avi', FRAMES, fps=25)


@pytest.fixture
def write(tmp_path, video):
    """``write(workbook name, rows, normal)`` makes a folder of HMC-QU."""

    def make(name: str = NEW, rows: Sequence[tuple] = ROWS, normal: int = 0) -> str:
        write_workbook(tmp_path / name, cells(rows, normal))
        folder = tmp_path / FOLDERS[name]
        folder.mkdir(parents=True, exist_ok=True)
        for row in rows:
            shutil.copy(video, folder / f'{row[0]}.avi')
        return str(tmp_path)

    return make


@pytest.fixture
def warned(caplog) -> Iterator[Callable[[], list[str]]]:
    """``warned()`` gives the warnings of the log so far."""
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    yield lambda: [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    logger.removeHandler(caplog.handler)


def infos(dataset: HMCQUDataset) -> list[dict]:
    dataset.full_init()
    return [dataset.get_data_info(index) for index in range(len(dataset))]


@pytest.mark.parametrize('normal', [0, 1])
@pytest.mark.parametrize('name', [NEW, OLD])
def test_samples_of_the_workbook(write, name, normal):
    root = write(name, normal=normal)
    first, *others = infos(HMCQUDataset(root, traced_only=False))
    del first['sample_idx']
    assert first == {
        'filename': str(Path(root, FOLDERS[name], 'ES0001 _4CH_1.avi')),
        'patient': '1',
        'view': 'A4C',
        'source': 'HMC-QU',
        'label': 0,
        'cycle': (2, 23),
        'cycle_is_optional': True,
        'modality': 'RGB',
        'start_index': 0,
    }
    assert [info['patient'] for info in others] == ['10', '153', '101', '99', '12']
    assert [info['label'] for info in others] == [1, 1, 0, 1, 0]


def test_the_traced_subset_is_the_default(write):
    dataset = HMCQUDataset(write())
    assert [info['patient'] for info in infos(dataset)] == ['1', '10', '101', '99']
    assert dataset.report[f'rows in {NEW}'] == 6


def test_the_two_chamber_view(write):
    write()
    root = write('A2C.xlsx', [('ES00080 N_2CH_2', '000000', (1, 9), None)])
    (info,) = infos(HMCQUDataset(root, view='a2c', traced_only=False))
    assert (info['patient'], info['view']) == ('80', 'A2C')
    with pytest.raises(UserError, match='no recording is marked as traced'):
        HMCQUDataset(root, view='A2C').full_init()


def test_recordings_are_found_despite_spaces_and_folders(write):
    root = write()
    videos = Path(root, FOLDERS[NEW])
    (videos / 'ES0001 _4CH_1.avi').rename(videos / 'ES0001_4CH_1.avi')
    (Path(root) / 'moved').mkdir()
    (videos / 'ES00010 _4CH_2.avi').rename(Path(root, 'moved', 'ES00010  _4CH_2.avi'))
    names = [Path(info['filename']).name for info in infos(HMCQUDataset(root))]
    assert names[:2] == ['ES0001_4CH_1.avi', 'ES00010  _4CH_2.avi']


def test_anomalies_are_counted(write):
    rows = [*ROWS, ROWS[0], ('ES0005 _4CH_1', '000000', (None, None), 'ü')]
    rows.append(('ES0006 _4CH_1', '0 0000', (1, 20), 'ü'))
    root = write(rows=rows)
    Path(root, FOLDERS[NEW], 'ES00010 _4CH_2.avi').unlink()
    dataset = HMCQUDataset(root)
    assert [info['patient'] for info in infos(dataset)] == ['1', '101', '99', '5']
    assert dataset.report == {
        f'rows in {NEW}': 9,
        'repeated rows': 1,
        'without a label (dropped)': 1,
        'of the split': 5,
        'missing on disk': 1,
        'with infarction': 1,
        "without a cycle (span='cycle' takes the whole recording)": 1,
    }


def test_clips_span_the_cycle_or_the_whole_recording_where_none_is_stated(write):
    beyond = 'ES0006 _4CH_1', '000000', (3, FRAMES + 1), 'ü'
    rows = [ROWS[0], ('ES0005 _4CH_1', '000000', (9, 2), 'ü'), beyond]
    dataset = HMCQUDataset(write(rows=rows), pipeline=SPANNING, test_mode=True)
    spans = [dataset[index]['frame_inds'][[0, -1]].tolist() for index in (0, 1, 2)]
    assert spans == [[2, 23], [0, FRAMES - 1], [0, FRAMES - 1]]


def subset(infarctions: int, others: int) -> list[tuple]:
    labels = ['000100'] * infarctions + ['000000'] * others
    rows = [(f'ES000{i}_4CH_1', codes, (1, 20), 'ü') for i, codes in enumerate(labels, start=1)]
    return [*rows, *((f'ES000{i}_4CH_1', '000000', (1, 20), None) for i in range(120, 173))]


@pytest.mark.parametrize('normal', [0, 1])
def test_the_published_subset_is_read_without_a_warning(write, warned, normal):
    dataset = HMCQUDataset(write(rows=subset(72, 37), normal=normal))
    labels = [info['label'] for info in infos(dataset)]
    assert (len(labels), sum(labels)) == (109, 72)
    assert warned() == []


def test_another_subset_is_logged_in_one_line(write, warned):
    root = write(rows=subset(71, 38))
    HMCQUDataset(root, traced_only=False).full_init()
    assert warned() == []
    HMCQUDataset(root, fold=0, split='test').full_init()
    counts = '109 traced recordings, {} with and {} without infarction'
    assert warned() == [
        f'{Path(root, NEW)}: {counts.format(71, 38)}; the published set has {counts.format(72, 37)}'
    ]


def test_folds_test_every_recording_once_and_hold_the_share_of_infarctions(write):
    root = write(rows=subset(72, 37))
    tested = []
    for fold in range(5):
        test, train = (
            infos(HMCQUDataset(root, fold=fold, split=split)) for split in ('test', 'TRAIN')
        )
        assert len(test) + len(train) == 109
        assert sum(info['label'] for info in test) in (14, 15)
        assert len(test) in (21, 22)
        tested += [info['patient'] for info in test]
    assert len(tested) == len(set(tested)) == 109


def test_folds_do_not_depend_on_the_files_on_disk(write):
    root = write()
    whole = HMCQUDataset(root, fold=0, split='test', num_folds=2)
    whole.full_init()
    Path(root, FOLDERS[NEW], 'ES00010 _4CH_2.avi').unlink()
    partial = HMCQUDataset(root, fold=0, split='test', num_folds=2)
    partial.full_init()
    assert whole.folds == partial.folds
    assert set(whole.folds) == {'1', '10', '101', '99'}


def test_other_seeds_make_other_folds(write):
    root = write(rows=subset(72, 37))
    folds = []
    for seed in (0, 0, 1):
        dataset = HMCQUDataset(root, fold=0, split='test', fold_seed=seed)
        dataset.full_init()
        folds.append(dataset.folds)
    assert folds[0] == folds[1] != folds[2]


def test_a_share_of_the_other_patients_validates(write):
    common = dict(data_root=write(rows=subset(72, 37)), fold=2, val_share=0.1)
    sides = {
        split: {info['patient'] for info in infos(HMCQUDataset(split=split, **common))}
        for split in ('train', 'val', 'test')
    }
    assert len(set().union(*sides.values())) == sum(map(len, sides.values())) == 109
    assert len(sides['val']) == round(0.1 * (109 - len(sides['test'])))


def test_folds_from_a_file(write, tmp_path):
    root = write()
    write_patient_column(tmp_path / 'folds.csv', 'fold', {'1': 0, '10': 1, '101': 1, '99': 2})
    dataset = HMCQUDataset(root, fold=1, split='test', fold_file=str(tmp_path / 'folds.csv'))
    assert [info['patient'] for info in infos(dataset)] == ['10', '101']
    assert dataset.folds == {'1': 0, '10': 1, '101': 1, '99': 2}


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'fold': 2, 'split': 'test', 'num_folds': 2}, 'fold=2 does not exist'),
        ({'fold': 0, 'split': 'tests', 'num_folds': 2}, "split='tests' is unknown"),
        ({'fold': 0, 'split': 'val', 'num_folds': 2}, 'set val_share above 0'),
        (
            {'fold': 0, 'split': 'test'},
            'num_folds=5 for 4 patients, 2 of whom have',
        ),
        ({'fold': 0}, 'fold and split go together'),
        ({'view': '4CH'}, "view '4CH' is unknown"),
        ({'view': 'A2C', 'traced_only': False}, r'no workbook for view A2C; expected A2C\.xlsx'),
    ],
)
def test_errors_name_the_fault(write, kwargs, message):
    root = write()
    with pytest.raises(UserError, match=message) as error:
        HMCQUDataset(root, **kwargs).full_init()
    assert len(str(error.value).splitlines()) <= 2


def test_folders_without_workbook_or_videos_are_refused(tmp_path):
    with pytest.raises(UserError, match=r'expected A4C\.xlsx or HMC_QU\.xlsx'):
        HMCQUDataset(str(tmp_path)).full_init()
    write_workbook(tmp_path / NEW, cells())
    with pytest.raises(UserError, match=r'none of 4 recordings in A4C\.xlsx is on disk'):
        HMCQUDataset(str(tmp_path)).full_init()


def test_phantoms_are_read_unchanged(tmp_path):
    recordings = hmcqu_files.plan(2, seed=4)
    written = [hmcqu_files.write_recording(tmp_path, r, 4, 'default') for r in recordings]
    hmcqu_files.write_lists(tmp_path, written)
    root = str(tmp_path / hmcqu_files.FOLDER)
    for view in ('A4C', 'A2C'):
        planned = {r.name: int(r.infarcted) for r in recordings if r.view == view}
        read = infos(HMCQUDataset(root, view=view, traced_only=False, pipeline=SPANNING))
        assert {Path(info['filename']).stem: info['label'] for info in read} == planned
        for info in read:
            (made,) = [w for w in written if w['row'][0] == Path(info['filename']).stem]
            assert info['cycle'] == (made['truth']['start'] - 1, made['truth']['end'] - 1)
    masked = infos(HMCQUDataset(root))
    assert [Path(info['filename']).stem for info in masked] == [
        r.name for r in recordings if r.traced
    ]
