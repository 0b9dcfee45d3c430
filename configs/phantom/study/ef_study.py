"""The study's ejection fraction, from the encoder of configs/phantom/study/pretrain_study.py.

echocardmae label-efficiency configs/phantom/study/ef_study.py trains it with few labels, from this
encoder and from random weights.
"""

_base_ = '../../_base_/runtime_ef.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(
    ejection_fraction(
        dataset=dict(
            type='echocardmae_mm.EchoNetDynamicDataset',
            data_root='data/study/EchoNet-Dynamic',
            require_ef=True,
        ),
        checkpoint='work_dirs/phantom/study/pretrain_study/epoch_30.pth',
        batch_size=32,
        num_workers=1,
        settings=dict(backbone=dict(drop_path_rate=0.1), cls_head=dict(target='zscore', loss='l2')),
        embed_dims=192,
        num_heads=3,
    )
)

train_cfg = dict(max_epochs=20, val_interval=5)
optim_wrapper = dict(optimizer=dict(lr=5e-4, weight_decay=0.05), clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
]
