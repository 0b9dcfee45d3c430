"""Ejection fraction with EchoNet's network: R(2+1)D-18, 32 frames, every 2nd (Table 1: MAE 4.05).

Network, frames, optimizer and loss follow echonet/dynamic (video.py); test clips and checkpoint
selection are this package's (docs/baselines.md). Trains from scratch. EchoNet starts from
torchvision's Kinetics-400 weights, which torchvision downloads or finds in its cache with

--cfg-options model.backbone.weights=KINETICS400_V1
"""

_base_ = '../_base_/runtime_ef.py'

from echocardmae_mm.recipes import clip_preprocessor, ejection_fraction

globals().update(
    ejection_fraction(
        num_frames=32,
        frame_interval=2,
        batch_size=20,
        model=dict(
            type='mmaction.Recognizer3D',
            data_preprocessor=clip_preprocessor(),
            backbone=dict(type='torchvision.get_model', name='r2plus1d_18', weights=None),
            # std=1 keeps the squared error in per cent; the learning rate assumes this scale.
            cls_head=dict(
                type='echocardmae_mm.EFHead',
                in_channels=512,
                target='zscore',
                loss='l2',
                mean=55.6,
                std=1.0,
            ),
        ),
    )
)

train_cfg = dict(max_epochs=45)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='SGD', lr=1e-4, momentum=0.9, weight_decay=1e-4)
)
param_scheduler = [dict(type='StepLR', step_size=15, gamma=0.1)]
auto_scale_lr = dict(base_batch_size=20)
