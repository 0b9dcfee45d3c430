"""The left ventricle by EchoNet's network: DeepLabV3 with ResNet-50, from scratch.

Network, optimizer and loss are those of echonet/dynamic (segmentation.py), of MMSegmentation's own
parts; the data, their shifts and the choice of the checkpoint are ours: docs/baselines.md.
"""

_base_ = [
    '../_base_/datasets/echonet_seg.py',
    '../_base_/runtime_seg.py',
]

model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[32.946, 32.4105, 32.0535],
        std=[50.337, 49.9035, 49.7505],
        bgr_to_rgb=False,
        size=(112, 112),
        pad_val=0,
        seg_pad_val=255,
    ),
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

# Both frames of 20 recordings. EchoNet steps by 1e-5 on half of the sum over their pixels, that is
# by 1e-5 x 20 x 112 x 112 on the mean.
train_dataloader = dict(batch_size=40)
train_cfg = dict(max_epochs=50)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='SGD', lr=2.5, momentum=0.9))
auto_scale_lr = dict(base_batch_size=40)
