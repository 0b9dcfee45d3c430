"""Labels of frames and of clips."""

import numpy as np
import pytest

from echocardmae_mm.datasets.transforms import LoadEchoMask
from echocardmae_mm.utils.errors import RecordingError

TRACING = np.array(
    [[20.0, 5, 20, 35], *([12, y, 28, y] for y in np.linspace(6, 34, 20))], np.float64
)


def results(**changes):
    return {
        'filename': 'a.avi', 'masks': {3: TRACING}, 'num_classes': 2, 'ori_shape': (40, 50),
        'frame': 3, **changes,
    }  # fmt: skip


def test_a_tracing_becomes_a_mask_in_seg_fields():
    done = LoadEchoMask()(results(seg_fields=[]))
    assert done['gt_seg_map'].shape == (40, 50)
    assert done['gt_seg_map'][6:35, 12:29].all()
    assert done['gt_seg_map'].sum() == 29 * 17
    assert done['seg_fields'] == ['gt_seg_map']


def test_samples_without_labels_pass_unchanged():
    assert LoadEchoMask()({'img': 1}) == {'img': 1}


def test_unlabelled_frames_of_a_clip_are_ignored():
    done = LoadEchoMask(scale=(25, 20))(
        results(frame_inds=np.array([1, 3, 5]), original_shape=(40, 50))
    )
    labels = done['gt_seg_map']
    assert labels.shape == (3, 20, 25)
    assert (labels[[0, 2]] == 255).all()
    assert set(np.unique(labels[1])) == {0, 1}
    assert labels[1].sum() == pytest.approx(29 * 17 / 4, rel=0.1)


def test_labels_of_another_size_are_refused(camus_root):
    path = next(camus_root.glob('*/*/*_4CH_ED_gt.nii.gz'))
    with pytest.raises(RecordingError, match=r'size is 40 x 50, but its labels have size 60 x 40'):
        LoadEchoMask()(results(masks={3: str(path)}, num_classes=4))
