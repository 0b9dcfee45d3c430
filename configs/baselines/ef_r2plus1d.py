"""Ejection fraction with EchoNet's network: R(2+1)D-18, 32 frames, every 2nd (Table 1: MAE 4.05).

Frames, optimizer and loss follow echonet/dynamic (video.py); head, test clips and checkpoint
selection are this package's (docs/baselines.md). Trains from scratch: torchvision's Kinetics-400
weights, which EchoNet used, do not fit MMAction2's blocks.
"""

_base_ = '../_base_/runtime_ef.py'

from echocardmae_mm.recipes import clip_preprocessor, ejection_fraction

globals().update(ejection_fraction(num_frames=32, frame_interval=2, batch_size=20))

model = dict(
    type='mmaction.Recognizer3D',
    data_preprocessor=clip_preprocessor(),
    backbone=dict(
        type='mmaction.ResNet2Plus1d',
        depth=18,
        pretrained=None,
        pretrained2d=False,
        norm_eval=False,
        conv_cfg=dict(type='Conv2plus1d'),
        norm_cfg=dict(type='BN3d'),
        conv1_kernel=(3, 7, 7),
        conv1_stride_t=1,
        pool1_stride_s=1,
        pool1_stride_t=1,
        inflate=(1, 1, 1, 1),
        spatial_strides=(1, 2, 2, 2),
        temporal_strides=(1, 2, 2, 2),
        zero_init_residual=False,
    ),
    # std=1 keeps the squared error in per cent; the learning rate assumes this scale.
    cls_head=dict(
        type='echocardmae_mm.EFHead',
        in_channels=512,
        target='zscore',
        loss='l2',
        mean=55.6,
        std=1.0,
    ),
)

train_cfg = dict(max_epochs=45)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='SGD', lr=1e-4, momentum=0.9, weight_decay=1e-4)
)
param_scheduler = [dict(type='StepLR', step_size=15, gamma=0.1)]
auto_scale_lr = dict(base_batch_size=20)
