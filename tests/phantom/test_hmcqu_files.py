import cv2
import numpy as np
import pandas as pd
import pytest
import scipy.io

from echocardmae_mm.phantom import hmcqu_files
from echocardmae_mm.phantom.truth import read_truth

SEED = 4


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp('phantoms')
    recordings = hmcqu_files.plan(2, SEED)
    rows = [hmcqu_files.write_recording(root, r, SEED, 'default') for r in recordings]
    hmcqu_files.write_lists(root, rows)
    return root


def table(root, view):
    """The idiom of the public loaders: cells by position below a header of two rows."""
    return pd.read_excel(root / 'HMC-QU' / f'{view}.xlsx', header=None).iloc[2:]


def test_workbooks_have_their_cells_in_place(written):
    cells = pd.read_excel(written / 'HMC-QU' / 'A4C.xlsx', header=None)
    head = ['ECHO', 'SEG1', 'SEG2', 'SEG3', 'SEG5', 'SEG6', 'SEG7', 'One cardiac-cycle frames']
    assert cells.iloc[0, :8].tolist() == head
    assert cells.iloc[1, [7, 8]].tolist() == ['START', 'END']
    assert cells.shape == (4, 10)
    assert table(written, 'A2C').shape == (2, 9)


def test_labels_match_segment_motion(written):
    infarcted = {r.name: r.infarcted for r in hmcqu_files.plan(2, SEED)}
    assert set(infarcted.values()) == {True, False}
    for view in ('A4C', 'A2C'):
        for row in table(written, view).itertuples(index=False):
            assert bool(sum(row[1:7])) == infarcted[row[0]]


def test_masks_cover_the_wall_over_one_cycle(written):
    folder = written / 'HMC-QU'
    ticked = 0
    for row in table(written, 'A4C').itertuples(index=False):
        name, start, end, tick = row[0], row[7], row[8], row[9]
        path = folder / 'LV Ground-truth Segmentation Masks' / f'Mask_{name}.mat'
        assert path.exists() == (tick == 'ü')
        if tick != 'ü':
            continue
        ticked += 1
        wall = scipy.io.loadmat(path)['predicted']
        assert wall.shape == (end - start + 1, 224, 224)
        assert set(np.unique(wall)) == {0, 1}
        truth = read_truth(written / 'truth' / 'HMC-QU' / f'{name}.npz')
        labels = truth['labels'][start - 1 : end]
        share = (labels == 2).mean(axis=(1, 2))
        np.testing.assert_allclose(wall.mean(axis=(1, 2)), share, rtol=0.03)
    assert ticked


def test_videos_play_at_25_frames_per_second(written):
    paths = sorted((written / 'HMC-QU' / 'HMC-QU').glob('*/*.avi'))
    assert len(paths) == 4
    for path in paths:
        capture = cv2.VideoCapture(str(path))
        assert capture.get(cv2.CAP_PROP_FPS) == 25.0
        okay, frame = capture.read()
        assert okay
        assert frame.shape in ((422, 636, 3), (768, 1024, 3))
