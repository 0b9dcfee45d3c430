"""Clips and their labels, packed."""

import numpy as np
import torch

from echocardmae_mm.datasets.transforms import PackSegClip


def test_packs_frames_labels_and_metadata():
    clip = np.random.default_rng(0).integers(0, 255, (1, 3, 4, 8, 8), dtype=np.uint8)
    labels = np.full((4, 10, 12), 255, np.uint8)
    packed = PackSegClip()(
        {
            'imgs': clip, 'gt_seg_map': labels, 'original_shape': (10, 12), 'patient': 'p',
            'frame': 7, 'masks': 'not told',
        }
    )  # fmt: skip
    assert torch.equal(packed['inputs'], torch.from_numpy(clip))
    sample = packed['data_samples']
    assert sample.gt_sem_seg.data.shape == (4, 10, 12)
    assert sample.gt_sem_seg.data.dtype == torch.int64
    assert sample.metainfo == {'ori_shape': (10, 12), 'patient': 'p', 'frame': 7}


def test_without_labels_there_are_none():
    clip = np.zeros((1, 3, 4, 8, 8), np.uint8)
    packed = PackSegClip()({'imgs': clip, 'original_shape': (8, 8)})
    assert 'gt_sem_seg' not in packed['data_samples']
