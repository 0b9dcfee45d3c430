"""The demo: pretraining at a size that two CPU cores finish in minutes, on synthetic recordings.

Make them first: python tools/make_phantoms.py --out data/phantom --videos 240 --seed 1
"""

_base_ = '../pretrain_echo.py'

data_root = 'data/phantom/EchoNet-Dynamic'

model = dict(
    backbone=dict(embed_dims=192, depth=4, num_heads=3),
    neck=dict(in_dims=192, embed_dims=96, depth=2),
)

train_dataloader = dict(batch_size=16, num_workers=2, dataset=dict(data_root=data_root))
val_dataloader = dict(num_workers=2, dataset=dict(data_root=data_root))
test_dataloader = dict(num_workers=2, dataset=dict(data_root=data_root))
test_evaluator = dict(mean_of=dict(data_root=data_root))

train_cfg = dict(max_epochs=40, val_interval=20)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05))

custom_hooks = _base_.custom_hooks
custom_hooks[-2].update(interval=10)  # ReconstructionHook
custom_hooks[-2].dataset.update(data_root=data_root)
