"""EchoCoTr's network on phantoms: half the width, one block a stage, frames of 56 x 56 pixels."""

_base_ = '../../baselines/ef_uniformer.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(
    ejection_fraction(
        dataset=dict(
            type='echocardmae_mm.EchoNetDynamicDataset',
            data_root='data/phantom/EchoNet-Dynamic',
            require_ef=True,
        ),
        img_size=56,
        batch_size=25,
        num_workers=2,
        interpolation='area',
        shift=6,
    )
)
model = dict(
    backbone=dict(depth=[1, 1, 1, 1], embed_dim=[32, 64, 128, 256], head_dim=32, img_size=56),
    cls_head=dict(in_channels=256),
)

train_cfg = dict(max_epochs=40, val_interval=5)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [dict(type='StepLR', step_size=15, gamma=0.1)]
