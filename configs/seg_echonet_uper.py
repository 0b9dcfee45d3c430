"""Segmentation of the left ventricle with MMSegmentation's UPerHead.

python tools/train.py configs/seg_echonet_uper.py

MMSegmentation's Feature2Pyramid resizes the maps of four encoder blocks to four scales, a simple
feature pyramid (Li et al., ViTDet). An auxiliary FCNHead adds its loss, as in MMSegmentation's
UPerNet configs.
"""

_base_ = 'seg_echonet.py'

losses = [
    dict(type='echocardmae_mm.DiceLoss'),
    dict(type='CrossEntropyLoss', avg_non_ignore=True),
]
model = dict(
    backbone=dict(out_indices=(2, 5, 8, 11)),
    neck=dict(
        type='Feature2Pyramid', embed_dim=384, rescales=[4, 2, 1, 0.5], norm_cfg=dict(type='BN')
    ),
    decode_head=dict(
        _delete_=True,
        type='UPerHead',
        in_channels=[384, 384, 384, 384],
        in_index=[0, 1, 2, 3],
        pool_scales=(1, 2, 3),
        channels=256,
        num_classes=2,
        norm_cfg=dict(type='BN'),
        align_corners=False,
        loss_decode=losses,
    ),
    auxiliary_head=dict(
        type='FCNHead',
        in_channels=384,
        in_index=2,
        channels=128,
        num_convs=1,
        concat_input=False,
        num_classes=2,
        norm_cfg=dict(type='BN'),
        align_corners=False,
        loss_decode=losses,
    ),
)
