"""Segmentation of left ventricle, myocardium and left atrium on CAMUS (Table 3).

python tools/train.py configs/seg_camus.py

Uses end-diastole and end-systole of both views. The official test patients are the test set; the
others are split 9:1 by patient (section 4). Tests compare masks at their native size. Starts from
the encoder and decoder of configs/pretrain_echo.py.
"""

_base_ = '_base_/runtime_seg.py'

from echocardmae_mm.recipes import segmentation

globals().update(
    segmentation(
        dataset=dict(type='echocardmae_mm.CAMUSSegDataset', data_root='data/CAMUS'),
        num_classes=4,
        at_network_size=True,
    )
)
