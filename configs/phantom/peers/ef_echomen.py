"""Stage 2 of EchoMEN on phantoms; see ef_r2plus1d.py."""

_base_ = '../../baselines/ef_echomen.py'

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
        img_size=56,
        batch_size=20,
        num_workers=2,
        interpolation='area',
        shift=0,
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
    # Bounds of the counts, in proportion to the number of recordings.
    cls_head=dict(in_channels=128, counts=(3.0, 40.0)),
)
load_from = 'work_dirs/phantom/peers/ef_echomen_stage1/epoch_8.pth'

train_cfg = dict(max_epochs=6, val_interval=2)
optim_wrapper = dict(optimizer=dict(lr=1e-4), clip_grad=dict(max_norm=300.0))
param_scheduler = [dict(type='StepLR', step_size=2, gamma=0.3)]
