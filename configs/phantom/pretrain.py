"""The demo: pretraining at a size that two CPU cores finish in minutes, on synthetic recordings.

Make them first: python tools/make_phantoms.py --out data/phantom --videos 240 --seed 1

Clips of 8 frames, every 8th, span the time of the paper's 16 every 4th with half of its tokens.
"""

_base_ = '../pretrain_echo.py'

data_root = 'data/phantom/EchoNet-Dynamic'

model = dict(
    backbone=dict(num_frames=8, embed_dims=128, depth=2, num_heads=4),
    neck=dict(num_frames=8, in_dims=128, embed_dims=128, depth=1, num_heads=8),
    # At the paper's 0.2 it outweighs the reconstruction in the few hundred steps of the demo.
    alignment_head=dict(loss_weight=0.02),
)

pretrain_pipeline = _base_.pretrain_pipeline
pretrain_pipeline[1].update(clip_len=8, interval=8)  # SampleClipPair

dataset = dict(data_root=data_root, pipeline=pretrain_pipeline)
train_dataloader = dict(batch_size=8, num_workers=2, dataset=dataset)
val_dataloader = dict(num_workers=2, dataset=dataset)
test_dataloader = dict(num_workers=2, dataset=dataset)
test_evaluator = dict(mean_of=dataset)

train_cfg = dict(max_epochs=34, val_interval=17)
optim_wrapper = dict(optimizer=dict(lr=4e-3, weight_decay=0.01))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=True, T_max=34, convert_to_iter_based=True),
]

default_hooks = dict(checkpoint=dict(interval=4))
custom_hooks = _base_.custom_hooks
custom_hooks[-2].update(interval=8, videos=4)  # ReconstructionHook
custom_hooks[-2].dataset.update(dataset)
