"""Segmentation of whole clips, at the size of configs/phantom/seg.py and with as many samples.

A patch is 8 frames long here: every frame is taken, so that it sees as much time as one of the
paper's, which holds every fourth of 8. In clips of every fourth, systole is over within a patch.
"""

_base_ = '../seg_echonet_video.py'

data_root = 'data/phantom/EchoNet-Dynamic'

pretrained = 'work_dirs/phantom/pretrain/epoch_24.pth'
size = dict(img_size=56, patch_size=8, tubelet_size=8)
model = dict(
    backbone=dict(
        embed_dims=128, depth=2, num_heads=4, init_cfg=dict(checkpoint=pretrained), **size
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
train_pipeline[1].update(frame_interval=1)  # SampleLabelledClip
train_pipeline[3].update(scale=(56, 56))  # Resize
train_pipeline[4].update(scale=(56, 56))  # LoadEchoMask
train_pipeline[5].update(pixels=6)  # RandomShift
test_pipeline = _base_.test_pipeline
test_pipeline[1].update(interval=1)
test_pipeline[3].update(scale=(56, 56))

train_dataloader = dict(num_workers=2, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(num_workers=2, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = dict(num_workers=2, dataset=dict(data_root=data_root, pipeline=test_pipeline))

train_cfg = dict(max_epochs=40, val_interval=10)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05), clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=True, T_max=40, convert_to_iter_based=True),
]
