"""Stage 1 of CoReEcho on phantoms; see ef_uniformer.py."""

_base_ = '../../baselines/ef_uniformer_rnc.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(
    ejection_fraction(
        dataset=dict(
            type='echocardmae_mm.EchoNetDynamicDataset',
            data_root='data/phantom/EchoNet-Dynamic',
            require_ef=True,
        ),
        num_clips=2,
        img_size=56,
        batch_size=16,
        num_workers=2,
        interpolation='area',
        shift=3,
        fill=0,
    )
)
model = dict(
    backbone=dict(depth=[1, 1, 1, 1], embed_dim=[32, 64, 128, 256], head_dim=32, img_size=56),
    cls_head=dict(in_channels=256),
)

train_cfg = dict(max_epochs=26, val_interval=2)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
