"""Folders and lists of recordings: what is found, and in what order."""

from __future__ import annotations

from pathlib import Path

import pytest

from echocardmae_mm.datasets import EchoVideoDataset
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import UserError


def test_a_folder_is_searched_in_order(good_root, tmp_path):
    (tmp_path / 'b' / '.hidden').mkdir(parents=True)
    for name in ('b/2.AVI', 'b/10.mp4', 'a.nii.gz', 'b/.hidden/x.avi', '._a.avi', 'notes.txt'):
        (tmp_path / name).write_bytes(b'x')
    (tmp_path / 'IM_01').write_bytes(bytes(128) + b'DICM')
    dataset = EchoVideoDataset(data_root=str(tmp_path))
    names = [
        Path(dataset[index]['filename']).relative_to(tmp_path) for index in range(len(dataset))
    ]
    assert [str(name) for name in names] == ['IM_01', 'a.nii.gz', 'b/10.mp4', 'b/2.AVI']
    info = dataset.get_data_info(1)
    assert (info['modality'], info['start_index']) == ('RGB', 0)


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        ('list.txt', 'day1/1.avi\n\nday0/0.avi\nday1/1.avi\nday0/none.avi\n'),
        ('long.txt', f'day1/1.avi\n{"x" * 5000}.avi\nday0/0.avi\n'),
        ('list.csv', '\ufeffPatient,FileName\n3,day1/1.avi\n4,day0/0.avi\n5,day0/none.avi\n'),
    ],
)
def test_a_list_keeps_its_order_and_missing_files_are_counted(name, content, good_root, tmp_path):
    (tmp_path / name).write_text(content)
    dataset = EchoVideoDataset(str(good_root), str(tmp_path / name))
    stems = [Path(dataset.get_data_info(index)['filename']).stem for index in range(len(dataset))]
    assert stems == ['1', '0']
    assert dataset.report == {'listed': 3, 'missing on disk': 1}


@pytest.mark.parametrize(
    ('options', 'named'),
    [
        ({'data_root': 'no/folder'}, 'no/folder: no such folder'),
        ({}, 'data_root: no such folder'),
        ({'data_root': 'no/folder', 'ann_file': 'a.csv'}, 'no/folder/a.csv: no such file'),
    ],
)
def test_missing_files_are_named_in_two_lines(options, named):
    with pytest.raises(UserError) as caught:
        DATASETS.build({'type': 'echocardmae_mm.EchoVideoDataset', **options})
    first, second = str(caught.value).splitlines()
    assert first.startswith(named)
    assert 'echocardmae phantoms --out data/phantom' in second


def test_a_folder_without_recordings_is_named(tmp_path):
    (tmp_path / 'list.csv').write_text('patient\n3\n')
    with pytest.raises(UserError, match='contains no recording'):
        EchoVideoDataset(str(tmp_path))
    with pytest.raises(UserError, match="no column 'path'; found patient"):
        EchoVideoDataset(str(tmp_path), 'list.csv')
