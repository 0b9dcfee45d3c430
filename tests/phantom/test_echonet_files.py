import csv
from collections import Counter

import cv2
import numpy as np
import pytest
from skimage.draw import polygon

from echocardmae_mm.phantom import echonet_files
from echocardmae_mm.phantom.truth import read_truth


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp('phantoms')
    rows = [
        echonet_files.write_recording(root, recording, 5, 'default')
        for recording in echonet_files.plan(8, 5)
    ]
    echonet_files.write_lists(root, rows)
    return root


def read(path):
    with path.open(newline='') as file:
        return list(csv.DictReader(file))


def test_lists_match_the_real_set(written):
    folder = written / 'EchoNet-Dynamic'
    listed, traced = read(folder / 'FileList.csv'), read(folder / 'VolumeTracings.csv')
    assert ','.join(listed[0]) == (
        'FileName,EF,ESV,EDV,FrameHeight,FrameWidth,FPS,NumberOfFrames,Split'
    )
    assert ','.join(traced[0]) == 'FileName,X1,Y1,X2,Y2,Frame'
    assert len(listed) == 8
    assert {row['Split'] for row in listed} == {'TRAIN', 'VAL', 'TEST'}
    for row in listed:
        edv, esv = float(row['EDV']), float(row['ESV'])
        assert float(row['EF']) == 100.0 * (edv - esv) / edv
        capture = cv2.VideoCapture(str(folder / 'Videos' / f'{row["FileName"]}.avi'))
        count = 0
        while (read_one := capture.read())[0]:
            assert read_one[1].shape == (int(row['FrameHeight']), int(row['FrameWidth']), 3)
            count += 1
        assert count == int(row['NumberOfFrames'])
        assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(float(row['FPS']), abs=0.01)


def test_contains_the_anomalies_of_the_real_set(written):
    folder = written / 'EchoNet-Dynamic'
    listed, traced = read(folder / 'FileList.csv'), read(folder / 'VolumeTracings.csv')
    names = {row['FileName'] for row in listed}
    traced_names = {row['FileName'].removesuffix('.avi') for row in traced}
    (untraced,) = names - traced_names
    (large,) = [row['FileName'] for row in listed if row['FrameHeight'] == '768']
    assert large == untraced
    assert len(traced_names - names) == 1
    rows = Counter((row['FileName'], row['Frame']) for row in traced)
    assert Counter(count != 21 for count in rows.values())[True] == 1
    assert all(len([key for key in rows if key[0] == f'{name}.avi']) == 2 for name in traced_names)
    assert any(int(row['NumberOfFrames']) < 61 for row in listed if row['FileName'] != large)


def test_tracings_lie_on_the_true_masks(written):
    traced = read(written / 'EchoNet-Dynamic' / 'VolumeTracings.csv')
    for name, frame in {(row['FileName'], int(row['Frame'])) for row in traced}:
        rows = [r for r in traced if (r['FileName'], int(r['Frame'])) == (name, frame)]
        if len(rows) != 21:
            continue
        chords = np.array([[float(r[key]) for key in ('X1', 'Y1', 'X2', 'Y2')] for r in rows])
        x = np.concatenate([chords[1:, 0], chords[1:, 2][::-1]])
        y = np.concatenate([chords[1:, 1], chords[1:, 3][::-1]])
        mask = np.zeros((112, 112), bool)
        mask[polygon(np.rint(y), np.rint(x), mask.shape)] = True
        truth = read_truth(written / 'truth' / 'EchoNet-Dynamic' / f'{name[:-4]}.npz')
        drawn = truth['labels'][frame] == 1
        assert (mask & drawn).sum() / (mask | drawn).sum() > 0.88


def test_truth_agrees_with_the_list(written):
    listed = {r['FileName']: r for r in read(written / 'EchoNet-Dynamic' / 'FileList.csv')}
    for row in read(written / 'truth' / 'EchoNet-Dynamic.csv'):
        truth = read_truth(written / 'truth' / 'EchoNet-Dynamic' / f'{row["name"]}.npz')
        volumes = truth['volumes']
        ed, es = int(truth['ed']), int(truth['es'])
        assert float(row['ef']) == 100.0 * (volumes[ed] - volumes[es]) / volumes[ed]
        assert len(volumes) == len(truth['labels']) == int(row['frames'])
        if row['anomaly'] != 'unlisted':
            assert float(listed[row['name']]['EF']) == float(row['ef'])
            assert truth['sector_mask'].shape[0] == int(listed[row['name']]['FrameHeight'])


@pytest.mark.parametrize('count', [1, 3, 4, 7, 100, 1000])
def test_splits_have_the_expected_proportions(count):
    splits = Counter(r.split for r in echonet_files.plan(count, 0) if r.anomaly != 'unlisted')
    assert sum(splits.values()) == count
    if count >= 3:
        assert min(splits['VAL'], splits['TEST'], splits['TRAIN']) >= 1
    if count >= 100:
        assert splits['TRAIN'] / count == pytest.approx(0.75, abs=0.02)
