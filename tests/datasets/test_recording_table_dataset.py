"""Recordings of a table: samples, classes and splits by patient."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from echocardmae_mm.datasets import RecordingTableDataset
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import UserError

HEADER = 'path,ef,label,patient,split,view,fps,spacing'
ROWS = [
    'day0/0.avi,40,sick,a,train,4CH,25,0.3',
    'day0/2.avi,,,b,train,,,',
    'day1/1.avi,60,well,c,Val,4CH,,0.3;0.4',
    'day1/3.avi,60,well,d,test,2CH,,',
]
OPENING = [dict(type='echocardmae_mm.RecordingInit')]


@pytest.fixture
def build(good_root, tmp_path) -> Callable[..., RecordingTableDataset]:
    """``build(rows, header, **options)`` is the data set of a table of ``good_root``."""

    def make(rows=ROWS, header=HEADER, **options):
        (tmp_path / 'labels.csv').write_text('\n'.join([header, *rows]))
        options = {'data_root': str(good_root), **options}
        return DATASETS.build(
            dict(
                type='echocardmae_mm.RecordingTableDataset',
                ann_file=str(tmp_path / 'labels.csv'),
                **options,
            )
        )

    return make


def infos(dataset):
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def test_a_sample_has_the_cells_that_its_row_fills(build, good_root):
    first, second, third, _ = infos(build())
    assert first['filename'] == str(good_root / 'day0/0.avi')
    assert (first['ef'], first['label'], first['patient']) == (40, 0, 'a')
    assert (first['view'], first['source']) == ('4CH', 'labels.csv')
    assert first['override'] == {'fps': 25, 'spacing': (0.3, 0.3)}
    assert not {'ef', 'label', 'view'} & second.keys()
    assert (third['label'], third['override']) == (1, {'spacing': (0.3, 0.4)})


def test_fps_and_spacing_replace_those_of_the_file(build):
    dataset = build(pipeline=OPENING)
    assert (dataset[0]['avg_fps'], dataset[0]['spacing']) == (25, (0.3, 0.3))
    assert (dataset[1]['avg_fps'], dataset[1]['spacing']) == (50, None)


def test_paths_are_relative_to_the_table_without_a_data_root(good_root, tmp_path, monkeypatch):
    (tmp_path / 'mine').symlink_to(good_root)
    (tmp_path / 'labels.csv').write_text('path\nmine/day0/0.avi\n')
    monkeypatch.chdir(tmp_path.parent)
    dataset = RecordingTableDataset(f'{tmp_path.name}/labels.csv')
    assert infos(dataset)[0]['filename'] == f'{tmp_path.name}/mine/day0/0.avi'
    assert infos(RecordingTableDataset('labels.csv', data_root=str(tmp_path))) == [
        {**infos(dataset)[0], 'filename': str(tmp_path / 'mine/day0/0.avi')}
    ]


@pytest.mark.parametrize(('split', 'patients'), [('train', 'ab'), ('VAL', 'c'), ('test', 'd')])
def test_the_column_split_decides(build, split, patients):
    dataset = build(split=split)
    assert [info['patient'] for info in infos(dataset)] == [*patients]
    assert dataset.splits == {}


def drawn(build, count, **options):
    rows = [f'day{i % 2}/{i}.avi,p{i % count}' for i in range(8)]
    datasets = {
        split: build(rows, 'path,patient', split=split, **options)
        for split in ('train', 'val', 'test')
    }
    return {s: {info['patient'] for info in infos(d)} for s, d in datasets.items()}, datasets


def test_patients_are_drawn_without_a_column_split(build):
    splits, datasets = drawn(build, 5)
    assert {split: len(names) for split, names in splits.items()} == dict(train=3, val=1, test=1)
    assert set.union(*splits.values()) == {f'p{i}' for i in range(5)}
    assert sum(map(len, datasets.values())) == 8
    assert datasets['train'].splits == {p: s for s, names in splits.items() for p in names}


def test_the_draw_depends_on_the_names_alone(build):
    rows = [f'day{i % 2}/{i}.avi,p{i},{i}' for i in range(8)]
    tested = [
        {info['patient'] for info in infos(build(table, 'path,patient,ef', split='test'))}
        for table in (rows, rows[::-1], [f'{row}0' for row in rows])
    ]
    assert tested[0] == tested[1] == tested[2]


def test_without_patients_each_recording_is_one(build):
    dataset = build([f'day{i % 2}/{i}.avi' for i in range(8)], 'path', split='train')
    counted = dataset.report['patients (no column patient: one per recording)']
    assert counted == len(dataset) == 5
    assert infos(dataset)[0]['patient'].startswith('day')


@pytest.mark.parametrize(
    ('labels', 'options', 'classes'),
    [
        (['10', '9', '10'], {}, ('9', '10')),
        (['b', 'a', '10'], {}, ('10', 'a', 'b')),
        (['b', 'a', 'a'], {'classes': ['b', 'a', 'c']}, ('b', 'a', 'c')),
        (['1', '0', '0'], {'classes': [1, 0]}, ('1', '0')),
    ],
)
def test_classes(build, labels, options, classes):
    rows = [f'day{i % 2}/{i}.avi,{label}' for i, label in enumerate(labels)]
    dataset = build(rows, 'path,label', **options)
    assert dataset.metainfo['classes'] == classes
    assert [classes[info['label']] for info in infos(dataset)] == labels
    assert dataset.report[f'of class 1 ({classes[1]})'] == labels.count(classes[1])


def test_classes_are_those_of_the_whole_table(build):
    rows = ['day0/0.avi,c,train', 'day1/1.avi,b,test', 'day0/2.avi,a,test']
    assert infos(build(rows, 'path,label,split', split='train'))[0]['label'] == 2


@pytest.mark.parametrize(
    ('rows', 'header', 'options', 'message'),
    [
        (
            ROWS,
            HEADER,
            {'classes': ['well', 'ill']},
            r"line 2 \(day0/0\.avi\): label is 'sick'; expected one of the classes well, ill$",
        ),
        (
            ['day0/0.avi,sick'],
            'path,label',
            {'require': ['label']},
            r"all labels are 'sick'; expected at least two classes\nAdd",
        ),
        (ROWS, HEADER, {'require': 'ef'}, r'line 3 \(day0/2\.avi\): ef is empty'),
        (ROWS, HEADER, {'split': 'dev'}, r"split='dev' is unknown"),
        (ROWS[:2], HEADER, {'split': 'test', 'classes': ['sick']}, 'no row of split test; found t'),
        (
            ['day0/0.avi,a', 'day1/1.avi,b'],
            'path,patient',
            {'split': 'test'},
            '2 patients; expected at least 3 to draw training, validation and test set',
        ),
    ],
)
def test_a_mistake_is_named(build, rows, header, options, message):
    with pytest.raises(UserError, match=message) as error:
        build(rows, header, **options)
    assert len(str(error.value).splitlines()) <= 2
