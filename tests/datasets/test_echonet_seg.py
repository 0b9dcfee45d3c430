"""Traced frames of EchoNet-Dynamic: which, which is end-diastole, and what is left out."""

import shutil
from collections import Counter

import numpy as np
import pytest

from echocardmae_mm.datasets import EchoNetSegDataset
from echocardmae_mm.datasets.checks.echonet_dynamic import check_echonet_dynamic
from echocardmae_mm.utils.errors import RecordingError, UserError
from tests.helpers.csv_files import edit_rows

READING = [
    dict(type='echocardmae_mm.LoadEchoFrame'),
    dict(type='echocardmae_mm.LoadEchoMask'),
]


@pytest.fixture
def root(echonet_root, tmp_path):
    return shutil.copytree(echonet_root, tmp_path / 'EchoNet-Dynamic')


def rewrite(path, change):
    """Change each row, or drop those that become None."""
    edit_rows(path, lambda rows: filter(None, map(change, rows)))


def test_two_frames_of_each_recording_the_larger_is_end_diastole(echonet_root):
    dataset = EchoNetSegDataset(data_root=str(echonet_root), split='test')
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    # The file lists the smaller ventricle, frame 20, first.
    assert [(info['instant'], info['frame']) for info in infos] == [('ED', 3), ('ES', 20)] * 2
    assert len({info['img_path'] for info in infos}) == 4
    assert infos[0]['filename'] == infos[1]['filename']
    assert infos[0]['patient'] == infos[1]['patient'] != infos[2]['patient']
    assert dataset.metainfo['classes'] == ('background', 'left ventricle')


def test_frame_and_mask_are_those_of_the_instant(echonet_root):
    dataset = EchoNetSegDataset(data_root=str(echonet_root), split='val', pipeline=READING)
    ed, es = dataset[0], dataset[1]
    assert ed['img'].shape == (112, 112, 3)
    assert ed['gt_seg_map'].sum() > 1.4 * es['gt_seg_map'].sum()
    # Ellipses around (56, 60), 30 high and 25 or 15 wide, of which the chords leave the tips.
    assert ed['gt_seg_map'].sum() == pytest.approx(np.pi * 25 * 30, rel=0.06)
    assert es['gt_seg_map'].sum() == pytest.approx(np.pi * 15 * 30, rel=0.06)
    assert not np.array_equal(ed['img'], es['img'])


def test_provenance_counts_a_recording_once(echonet_root):
    dataset = EchoNetSegDataset(data_root=str(echonet_root), split='test')
    hashes = dataset.content_hashes()
    assert hashes[0] == hashes[1] != hashes[2] == hashes[3]


def beyond_the_end(row):
    first = row['FileName'] == '0X0000000000000000.avi' and row['Frame'] == '20'
    return {**row, 'Frame': '80'} if first else row


def outside(row):
    moved = {name: str(float(row[name]) + 100) for name in ('X1', 'X2')}
    return {**row, **moved} if row['FileName'] == '0X0000000000000000.avi' else row


def untraced(row):
    return None if row['FileName'] == '0X0000000000000000.avi' else row


@pytest.mark.parametrize(
    ('change', 'reason', 'count'),
    [
        (beyond_the_end, 'tracings beyond the end of the recording (dropped)', 1),
        (outside, 'tracings outside the picture (dropped)', 2),
        (untraced, 'recordings without two usable tracings (dropped)', 1),
    ],
)
def test_unusable_tracings_are_dropped_and_counted(root, change, reason, count):
    rewrite(root / 'VolumeTracings.csv', change)
    dataset = EchoNetSegDataset(data_root=str(root), split='train')
    assert len(dataset) == 8
    assert dataset.report[reason] == count
    assert dataset.report['recordings without two usable tracings (dropped)'] == 1


def test_odd_tracings_are_optional(root):
    def shorter(row):
        odd = row['FileName'] == '0X0000000000000000.avi' and row['Frame'] == '3'
        return None if odd and float(row['Y1']) > 80 else row

    rewrite(root / 'VolumeTracings.csv', shorter)
    kept = EchoNetSegDataset(data_root=str(root), split='train')
    assert (len(kept), kept.report['with odd tracings']) == (10, 1)
    dropped = EchoNetSegDataset(data_root=str(root), split='train', drop_odd_tracings=True)
    assert (len(dropped), dropped.report['odd tracings (dropped)']) == (8, 1)


def test_a_recording_that_ends_before_its_tracing_is_skipped_in_training(root):
    rewrite(root / 'FileList.csv', lambda row: {**row, 'NumberOfFrames': ''})
    rewrite(root / 'VolumeTracings.csv', beyond_the_end)
    dataset = EchoNetSegDataset(data_root=str(root), split='train', pipeline=READING)
    assert len(dataset) == 10
    for index in range(10):
        assert dataset[index]['gt_seg_map'].any()
    assert dataset.skipped.sum() == 1
    skipped = int(dataset.skipped.argmax())
    assert 'frame 80 is labelled, but the recording has 80 frames' in dataset.skip_reason(skipped)


def test_a_tracing_beyond_the_real_end_stops_an_evaluation_and_is_named(root):
    rewrite(root / 'FileList.csv', lambda row: {**row, 'NumberOfFrames': '200'})
    rewrite(root / 'VolumeTracings.csv', beyond_the_end)
    dataset = EchoNetSegDataset(
        data_root=str(root), split='train', test_mode=True, pipeline=READING
    )
    assert len(dataset) == 10
    with pytest.raises(
        RecordingError, match='frame 80 is labelled, but the recording has 80 frames'
    ):
        [dataset[index] for index in range(10)]


def test_an_ejection_fraction_is_not_needed(root):
    rewrite(root / 'FileList.csv', lambda row: {**row, 'EF': ''})
    dataset = EchoNetSegDataset(data_root=str(root), split='train')
    assert len(dataset) == 10
    assert np.isnan(dataset.get_data_info(0)['ef'])


def test_without_any_tracing_it_says_so(root):
    (root / 'VolumeTracings.csv').write_text('FileName,X1,Y1,X2,Y2,Frame\n')
    with pytest.raises(UserError, match='no traced frame to segment') as error:
        EchoNetSegDataset(data_root=str(root), split='train')
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize(
    ('column', 'value'),
    [
        ('X1', 'nan'),
        ('Y2', 'inf'),
        ('X2', ''),
        ('Frame', 'inf'),
        ('Frame', 'nan'),
        ('Frame', '3.5'),
    ],
)
def test_a_tracing_without_finite_numbers_is_refused(root, column, value):
    rewrite(root / 'VolumeTracings.csv', lambda row: {**row, column: value})
    with pytest.raises(UserError, match=r'VolumeTracings\.csv, line 2: not a tracing') as error:
        EchoNetSegDataset(data_root=str(root), split='val')
    assert str(error.value).count('\n') == 0
    (obstacle,) = check_echonet_dynamic(root).obstacles
    assert 'line 2: not a tracing' in obstacle


@pytest.mark.parametrize('rows', [1, 2])
def test_a_tracing_without_area_is_dropped(root, rows):
    seen = Counter()

    def cut(row):
        seen[row['FileName'], row['Frame']] += 1
        return row if row['Frame'] != '3' or seen[row['FileName'], '3'] <= rows else None

    rewrite(root / 'VolumeTracings.csv', cut)
    with pytest.raises(UserError, match='no traced frame to segment; 1 tracings outside'):
        EchoNetSegDataset(data_root=str(root), split='val')
    assert not check_echonet_dynamic(root).obstacles


def test_a_frame_size_that_is_not_finite_is_the_usual_one(root):
    rewrite(root / 'FileList.csv', lambda row: {**row, 'FrameHeight': 'inf'})
    assert len(EchoNetSegDataset(data_root=str(root))) == 16
