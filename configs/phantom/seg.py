"""Segmentation of the left ventricle in the demo, from the parts of configs/phantom/pretrain.py.

Frames are read at the pretraining's 56 pixels; the labels that a test compares with keep their 112.
"""

_base_ = '../seg_echonet.py'

data_root = 'data/phantom/EchoNet-Dynamic'

pretrained = 'work_dirs/phantom/pretrain/epoch_24.pth'
size = dict(img_size=56, patch_size=8)
model = dict(
    data_preprocessor=dict(size=(56, 56)),
    backbone=dict(
        tubelet_size=8,
        embed_dims=128,
        depth=2,
        num_heads=4,
        init_cfg=dict(checkpoint=pretrained),
        **size,
    ),
    decode_head=dict(
        in_channels=128,
        embed_dims=128,
        depth=1,
        num_heads=8,
        init_cfg=dict(checkpoint=pretrained),
        **size,
    ),
)

train_pipeline = _base_.train_pipeline
train_pipeline[1].update(scale=(56, 56))  # Resize
train_pipeline[2].update(scale=(56, 56))  # LoadEchoMask
train_pipeline[3].update(pixels=6)  # RandomShift
test_pipeline = _base_.test_pipeline
test_pipeline[1].update(scale=(56, 56))

train_dataloader = dict(num_workers=2, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(num_workers=2, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(num_workers=2, dataset=dict(data_root=data_root, pipeline=test_pipeline))

train_cfg = dict(max_epochs=40, val_interval=10)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05), clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=True, T_max=40, convert_to_iter_based=True),
]
