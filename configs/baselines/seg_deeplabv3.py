"""The left ventricle by EchoNet's network: DeepLabV3 with ResNet-50, from scratch.

Network, optimizer and loss are those of echonet/dynamic (segmentation.py), of MMSegmentation's own
parts; the data, their shifts and the choice of the checkpoint are ours: docs/baselines.md.
"""

_base_ = '../_base_/runtime_seg.py'

from echocardmae_mm.recipes import frame_preprocessor, segmentation

# Both frames of 20 recordings.
globals().update(segmentation(batch_size=40))

model = dict(
    type='EncoderDecoder',
    data_preprocessor=frame_preprocessor(112),
    backbone=dict(
        type='ResNet',
        depth=50,
        dilations=(1, 1, 2, 4),
        strides=(1, 2, 1, 1),
        contract_dilation=True,
        norm_cfg=dict(type='BN'),
    ),
    decode_head=dict(
        type='ASPPHead',
        in_channels=2048,
        in_index=3,
        channels=256,
        dilations=(1, 12, 24, 36),
        num_classes=2,
        out_channels=1,
        threshold=0.5,
        norm_cfg=dict(type='BN'),
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)

# EchoNet steps by 1e-5 on half of the sum over the pixels of 20 recordings, that is by
# 1e-5 x 20 x 112 x 112 on the mean.
train_cfg = dict(max_epochs=50)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='SGD', lr=2.5, momentum=0.9))
auto_scale_lr = dict(base_batch_size=40)
