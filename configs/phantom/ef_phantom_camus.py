"""Ejection fraction on CAMUS phantoms in ten folds, from the demo's encoder.

echocardmae phantoms --out data/phantom --camus 100 --seed 1 --datasets camus
echocardmae cross-validate configs/phantom/ef_phantom_camus.py
"""

_base_ = '../_base_/runtime_ef.py'

from echocardmae_mm.recipes import demo_size, ejection_fraction

globals().update(
    ejection_fraction(
        dataset=dict(
            type='echocardmae_mm.CAMUSDataset',
            data_root='data/phantom/CAMUS',
            views='4CH',
            fold=0,
            num_folds=10,
            val_share=0.1,
        ),
        span='cycle',
        num_test_clips=1,
        checkpoint='work_dirs/phantom/pretrain_phantom/epoch_24.pth',
        test_batch_size=16,
        num_workers=2,
        interpolation='area',
        shift=6,
        meta_keys=('view', 'quality'),
        settings=dict(backbone=dict(drop_path_rate=0.2), cls_head=dict(target='zscore', loss='l2')),
        **demo_size(),
    )
)

train_cfg = dict(max_epochs=100, val_interval=10)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.3), clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
]
