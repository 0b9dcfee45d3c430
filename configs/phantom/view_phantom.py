"""View of a recording, four- or two-chamber, on CAMUS phantoms.

echocardmae phantoms --out data/phantom --camus 100 --seed 1 --datasets camus
"""

_base_ = '../_base_/runtime_mi.py'

from echocardmae_mm.recipes import demo_size, diagnosis

globals().update(
    diagnosis(
        dataset=dict(
            type='echocardmae_mm.CAMUSViewDataset',
            data_root='data/phantom/CAMUS',
            fold=0,
            num_folds=10,
            val_share=0.1,
        ),
        span='cycle',
        checkpoint='work_dirs/phantom/pretrain_phantom/epoch_24.pth',
        num_workers=2,
        shift=6,
        settings=dict(backbone=dict(drop_path_rate=0.2)),
        **demo_size(),
    )
)

train_cfg = dict(max_epochs=100, val_interval=25)
val_cfg = dict(type='echocardmae_mm.SkippingValLoop')
optim_wrapper = dict(optimizer=dict(lr=1e-3), clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
]
