"""Ejection fraction by ten folds on CAMUS phantoms, from the encoder of the demo.

python tools/make_phantoms.py --out data/phantom --camus 100 --seed 1 --datasets camus
python tools/cross_validate.py configs/phantom/ef_camus.py
"""

_base_ = '../ef_camus.py'

data_root = 'data/phantom/CAMUS'

model = dict(
    backbone=dict(
        img_size=56,
        patch_size=8,
        tubelet_size=8,
        embed_dims=128,
        depth=2,
        num_heads=4,
        drop_path_rate=0.2,
        init_cfg=dict(checkpoint='work_dirs/phantom/pretrain/epoch_24.pth'),
    ),
    cls_head=dict(in_channels=128, target='zscore', loss='l2'),
)

train_pipeline = _base_.train_pipeline
train_pipeline[3].update(scale=(56, 56))  # Resize
train_pipeline[4].update(size=56, padding=6)  # RandomCrop
test_pipeline = _base_.test_pipeline
test_pipeline[3].update(scale=(56, 56))

train_dataloader = dict(num_workers=2, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(num_workers=2, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(num_workers=2, dataset=dict(data_root=data_root, pipeline=test_pipeline))

train_cfg = dict(max_epochs=100, val_interval=10)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.3), clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=True, T_max=100, convert_to_iter_based=True),
]
