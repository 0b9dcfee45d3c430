"""Stage 1 of EchoMEN on phantoms; see ef_r2plus1d.py."""

_base_ = '../../baselines/ef_echomen_stage1.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(
    ejection_fraction(
        dataset=dict(
            type='echocardmae_mm.EchoNetDynamicDataset',
            data_root='data/phantom/EchoNet-Dynamic',
            require_ef=True,
        ),
        num_frames=8,
        frame_interval=8,
        num_clips=2,
        same_start=True,
        img_size=56,
        batch_size=20,
        num_workers=2,
        interpolation='area',
        shift=6,
    )
)
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmaction.ResNet2Plus1d',
        depth=18,
        base_channels=16,
        pretrained=None,
        pretrained2d=False,
        norm_eval=False,
        norm_cfg=dict(type='BN3d'),
        conv_cfg=dict(type='Conv2plus1d'),
        conv1_kernel=(3, 7, 7),
        conv1_stride_t=1,
        pool1_stride_t=1,
        inflate=(1, 1, 1, 1),
        spatial_strides=(1, 2, 2, 2),
        temporal_strides=(1, 2, 2, 2),
        zero_init_residual=False,
    ),
    cls_head=dict(in_channels=128, contrast=dict(in_channels=128)),
)

train_cfg = dict(max_epochs=8, val_interval=2)
optim_wrapper = dict(optimizer=dict(lr=1e-4), clip_grad=dict(max_norm=300.0))
param_scheduler = [dict(type='StepLR', step_size=3, gamma=0.3)]
