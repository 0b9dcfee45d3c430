"""Segmentation of the left ventricle with EchoNet's network: DeepLabV3, ResNet-50, from scratch.

Network, optimizer and loss follow echonet/dynamic (segmentation.py): MMSegmentation's ResNet with
torchvision's head. Data, augmentation and checkpoint selection are this package's
(docs/baselines.md).
"""

_base_ = '../_base_/runtime_seg.py'

from echocardmae_mm.recipes import frame_preprocessor, segmentation

# Both frames of 20 recordings.
globals().update(
    segmentation(
        batch_size=40,
        model=dict(
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
                type='echocardmae_mm.DeepLabV3Head',
                in_channels=2048,
                in_index=3,
                num_classes=2,
                out_channels=1,
                threshold=0.5,
                align_corners=False,
                loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True),
            ),
            train_cfg=dict(),
            test_cfg=dict(mode='whole'),
        ),
    )
)

# EchoNet uses a rate of 1e-5 for half of the loss summed over the pixels of 20 recordings. For the
# mean, the equivalent rate is 1e-5 x 20 x 112 x 112.
train_cfg = dict(max_epochs=50)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='SGD', lr=2.5, momentum=0.9))
auto_scale_lr = dict(base_batch_size=40)
