"""Infarctions of HMC-QU phantoms, whose walls move badly in one region, from the demo's encoder.

python tools/make_phantoms.py --out data/phantom --hmcqu 240 --seed 1 --datasets hmcqu
python tools/cross_validate.py configs/phantom/mi.py
"""

_base_ = '../mi_hmcqu.py'

data_root = 'data/phantom/HMC-QU'

model = dict(
    backbone=dict(
        img_size=56,
        patch_size=8,
        tubelet_size=8,
        embed_dims=128,
        depth=2,
        num_heads=4,
        init_cfg=dict(checkpoint='work_dirs/phantom/pretrain/epoch_24.pth'),
    ),
    # Infarctions are more than half of the phantoms.
    cls_head=dict(in_channels=128, loss_cls=dict(class_weight=None)),
)

train_pipeline = _base_.train_pipeline
train_pipeline[0].transforms[3].update(size=56)  # CropToSector
train_pipeline[1].update(size=56, padding=6)  # RandomCrop
test_pipeline = _base_.test_pipeline
test_pipeline[3].update(size=56)

recordings = dict(data_root=data_root, traced_only=False)
train_dataloader = dict(
    batch_size=32, num_workers=2, dataset=dict(recordings, pipeline=train_pipeline)
)
test_dataloader = dict(num_workers=2, dataset=dict(recordings, pipeline=test_pipeline))

train_cfg = dict(max_epochs=200)
default_hooks = dict(checkpoint=dict(interval=50))
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05), clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=True, T_max=200, convert_to_iter_based=True),
]
