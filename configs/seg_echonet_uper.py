"""The left ventricle by MMSegmentation's UPerHead on a simple feature pyramid of the encoder.

python tools/train.py configs/seg_echonet_uper.py

Four blocks of the pretrained encoder are brought to four sizes (Li et al., ViTDet) by
MMSegmentation's own Feature2Pyramid; FCNHead looks on as in its recipes.
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
