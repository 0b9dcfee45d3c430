"""The demo's ejection fraction, from the encoder of configs/phantom/pretrain_phantom.py.

The schedule has a hundredth of the paper's steps. Two settings speed up learning: squared error
gives the rare low ejection fractions more weight, and standardised targets keep the high learning
rate stable.
"""

_base_ = '../_base_/runtime_ef.py'

from echocardmae_mm.recipes import demo_size, ejection_fraction

globals().update(
    ejection_fraction(
        dataset=dict(
            type='echocardmae_mm.EchoNetDynamicDataset',
            data_root='data/phantom/EchoNet-Dynamic',
            require_ef=True,
        ),
        checkpoint='work_dirs/phantom/pretrain_phantom/epoch_24.pth',
        batch_size=32,
        num_workers=2,
        interpolation='area',
        shift=6,
        settings=dict(cls_head=dict(target='zscore', loss='l2')),
        **demo_size(),
    )
)

train_cfg = dict(max_epochs=110, val_interval=10)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.3), clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
]
