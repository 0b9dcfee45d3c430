"""EchoNet-Dynamic with its data anomalies."""

from __future__ import annotations

import csv
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from echocardmae_mm.datasets import EchoNetDynamicDataset
from echocardmae_mm.datasets.echonet_lists import read_tracings, video_stem
from echocardmae_mm.registry import DATASETS
from echocardmae_mm.utils.errors import UserError
from tests.helpers.csv_files import edit_rows

HEADER = 'FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split'


def infos(dataset: EchoNetDynamicDataset) -> dict[str, dict]:
    found = (dataset.get_data_info(index) for index in range(len(dataset)))
    return {Path(info['filename']).stem: info for info in found}


@pytest.fixture
def anomalous_root(echonet_root, tmp_path) -> Path:
    """The clean folder with each known kind of anomaly of the published set."""
    root = tmp_path / 'anomalous'
    shutil.copytree(echonet_root, root)
    with (root / 'FileList.csv').open() as file:
        header, *rows = list(csv.reader(file))
    rows[0][1] = 'nan'
    rows[1][1] = ''
    rows[2][8] = 'Train'
    rows[3][0] += '.avi'
    rows.append([*rows[4][:1], '12.0', *rows[4][2:8], 'TEST'])
    rows.append(['0XNOTONDISK', '50', '50', '100', '112', '112', '50', '80', 'TRAIN'])
    rows.append(['0X0SHORTROW', '50'])
    _write(root / 'FileList.csv', header, rows)
    with (root / 'VolumeTracings.csv').open() as file:
        header, *rows = list(csv.reader(file))
    untraced, odd = '0X0000000000000006.avi', '0X0000000000000007.avi'
    rows = [row for row in rows if row[0] != untraced]
    rows += [[odd, 1, 2, 3, 4, 20], ['0X4F55DC7F6080587E.avi', 1, 2, 3, 4, 9]]
    _write(root / 'VolumeTracings.csv', header, rows)
    return root


def _write(path: Path, header: list[str], rows: list[list]) -> None:
    with path.open('w', newline='') as file:
        csv.writer(file).writerows([header, *rows])


def test_a_clean_folder(echonet_root):
    dataset = EchoNetDynamicDataset(str(echonet_root))
    assert len(dataset) == 8
    info = dataset.get_data_info(2)
    assert Path(info['filename']) == echonet_root / 'Videos' / '0X0000000000000002.avi'
    assert info['ef'] == pytest.approx(100 * (102 - 44) / 102)
    assert (info['esv'], info['edv'], info['fps']) == (44.0, 102.0, 50.0)
    assert (info['number_of_frames'], info['split']) == (80, 'train')
    assert info['traced_frames'] == [20, 3]
    assert (info['modality'], info['start_index']) == ('RGB', 0)


@pytest.mark.parametrize(
    ('split', 'count'),
    [('train', 5), ('VAL', 1), ('Test', 2), (('train', 'val'), 6), (None, 8)],
)
def test_splits_in_any_case(split, count, echonet_root):
    assert len(EchoNetDynamicDataset(str(echonet_root), split=split)) == count


def test_anomalies_are_handled_and_counted(anomalous_root):
    dataset = EchoNetDynamicDataset(str(anomalous_root))
    assert dataset.report == {
        'rows in the list': 11,
        'repeated rows': 1,
        'of the split': 10,
        'without an EF of 0 to 100': 2,
        'missing on disk': 2,
        'untraced (kept)': 1,
        'with odd tracings': 1,
        'traced but not listed': 1,
    }
    found = infos(dataset)
    assert sorted(found) == [f'0X{index:016X}' for index in range(2, 8)]
    assert found['0X0000000000000002']['split'] == 'train'
    assert found['0X0000000000000004']['split'] == 'train'
    assert found['0X0000000000000004']['ef'] != 12.0
    assert found['0X0000000000000006']['traced_frames'] == []
    assert all(math.isfinite(info['ef']) for info in found.values())


def test_untraced_recordings_can_be_dropped(anomalous_root):
    kept = EchoNetDynamicDataset(str(anomalous_root), split='test')
    dropped = EchoNetDynamicDataset(str(anomalous_root), split='test', drop_untraced=True)
    assert infos(kept).keys() - infos(dropped).keys() == {'0X0000000000000006'}
    assert dropped.report['untraced (dropped)'] == 1


def test_the_older_folder_and_no_tracings(echonet_root, tmp_path):
    shutil.copytree(echonet_root / 'Videos', tmp_path / 'a4c-video-dir')
    shutil.copy(echonet_root / 'FileList.csv', tmp_path)
    assert len(EchoNetDynamicDataset(str(tmp_path), split='train')) == 5


def test_dropping_all_recordings_is_refused(echonet_root, tmp_path):
    shutil.copytree(echonet_root / 'Videos', tmp_path / 'Videos')
    shutil.copy(echonet_root / 'FileList.csv', tmp_path)
    with pytest.raises(UserError, match=r'VolumeTracings\.csv: missing, or no recording has two'):
        EchoNetDynamicDataset(str(tmp_path), split='train', drop_untraced=True).full_init()


def test_a_list_of_your_own_needs_few_columns(echonet_root, tmp_path):
    shutil.copytree(echonet_root / 'Videos', tmp_path / 'Videos')
    (tmp_path / 'FileList.csv').write_text('filename,ef\n0X0000000000000001,61.5\n')
    info = EchoNetDynamicDataset(str(tmp_path)).get_data_info(0)
    assert info['ef'] == 61.5
    assert info['fps'] is None
    assert math.isnan(info['edv'])


@pytest.mark.parametrize(
    ('content', 'options', 'message'),
    [
        (
            'FileName,ESV,Split\na,1,TRAIN\n',
            {'split': 'train'},
            'missing column EF; found FileName,',
        ),
        ('', {}, 'missing column FileName, EF; found nothing'),
        (f'{HEADER}\n', {}, 'found an empty list'),
        (f'{HEADER}\na,1,1,1,1,1,1,1,7\n', {'split': 'train'}, 'no rows of split'),
        (
            f'{HEADER}\na,1,1,1,1,1,1,1,TRAIN\n',
            {'split': 'train'},
            'no recording .* is on disk',
        ),
    ],
)
def test_a_list_that_cannot_be_used_is_named(content, options, message, tmp_path):
    (tmp_path / 'FileList.csv').write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        EchoNetDynamicDataset(str(tmp_path), **options)
    assert str(tmp_path) in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 2


def test_a_workbook_renamed_to_csv_is_named(tmp_path):
    (tmp_path / 'FileList.csv').write_bytes(b'PK\x03\x04\xff\xfe\x00')
    with pytest.raises(UserError, match='not a CSV file'):
        EchoNetDynamicDataset(str(tmp_path))


def test_a_missing_data_set_is_named_in_two_lines():
    with pytest.raises(UserError) as caught:
        DATASETS.build({'type': 'echocardmae_mm.EchoNetDynamicDataset', 'data_root': 'no/EchoNet'})
    first, second = str(caught.value).splitlines()
    assert first.startswith('no/EchoNet/FileList.csv: not found')
    assert 'https://echonet.github.io/dynamic' in first
    assert 'echocardmae phantoms --out data/phantom --videos 800 --seed 1 ' in second


def test_tracings_keep_the_order_of_the_file(echonet_root):
    tracings = read_tracings(echonet_root / 'VolumeTracings.csv')
    frames = tracings['0X0000000000000000']
    assert list(frames) == [20, 3]
    assert frames[3].shape == (21, 4)
    np.testing.assert_array_equal(frames[3][0], [56, 30, 56, 90])


def test_a_malformed_tracing_is_named_in_the_error(tmp_path):
    path = tmp_path / 'VolumeTracings.csv'
    path.write_text('FileName,X1,Y1,X2,Y2,Frame\na.avi,1,2,3,4,5\na.avi,1,two,3,4,5\n')
    with pytest.raises(UserError, match='line 3: not a tracing'):
        read_tracings(path)


@pytest.mark.parametrize('name', ['0X12', '0X12.avi', ' 0X12.AVI '])
def test_stems(name):
    assert video_stem(name) == '0X12'
    assert video_stem('1.2.840') == '1.2.840'


def test_low_ef_becomes_a_label(echonet_root):
    labelled = infos(EchoNetDynamicDataset(str(echonet_root), low_ef=58))
    assert {data['label'] for data in labelled.values()} == {0, 1}
    assert all(data['label'] == (data['ef'] < 58) for data in labelled.values())
    assert 'label' not in infos(EchoNetDynamicDataset(str(echonet_root)))[next(iter(labelled))]


def listed(root: Path, tmp_path: Path, ef: str) -> Path:
    """A copy of the folder whose third recording has this EF in the list."""
    copy = Path(shutil.copytree(root, tmp_path / 'copy'))
    edit_rows(copy / 'FileList.csv', lambda rows: [*rows[:2], {**rows[2], 'EF': ef}, *rows[3:]])
    return copy


@pytest.mark.parametrize('ef', ['', 'nan', 'high', '-3', '101.5', '5500'])
def test_require_ef_rejects_rows_without_an_ef(echonet_root, tmp_path, ef):
    root = listed(echonet_root, tmp_path, ef)
    with pytest.raises(UserError, match='1 of 5 rows have no EF of 0 to 100') as error:
        EchoNetDynamicDataset(str(root), split='train', require_ef=True).full_init()
    assert '0X0000000000000002' in str(error.value)
    assert len(str(error.value).splitlines()) == 2
    left = EchoNetDynamicDataset(str(root), split='train')
    assert len(left) == 4
    assert left.report['without an EF of 0 to 100'] == 1


def test_each_recording_is_a_patient_of_its_own(echonet_root):
    rows = infos(EchoNetDynamicDataset(str(echonet_root)))
    assert all(row['patient'] == stem for stem, row in rows.items())
    assert {row['source'] for row in rows.values()} == {'EchoNet-Dynamic'}
