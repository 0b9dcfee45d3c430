"""A pretraining run that takes seconds: real model, data set, transforms and files, all tiny."""

_base_ = '../../configs/_base_/runtime_mmaction.py'

from echocardmae_mm.recipes import pretraining  # noqa: E402

data_root = 'recordings'
experiment_name = 'tiny'

model = pretraining(
    img_size=32,
    num_frames=4,
    embed_dims=24,
    depth=1,
    num_heads=2,
    settings=dict(
        data_preprocessor=dict(mask=dict(sector='none', mask_ratio=0.5)),
        backbone=dict(drop_rate=0.1),
        neck=dict(embed_dims=24, depth=1, num_heads=2),
    ),
)['model']

pipeline = [
    dict(type='echocardmae_mm.RecordingInit'),
    dict(type='echocardmae_mm.SampleRandomClips', clip_len=4, frame_interval=2),
    dict(type='echocardmae_mm.RecordingDecode'),
    dict(type='echocardmae_mm.ResizeFrames', scale=(32, 32), keep_ratio=False),
    dict(type='mmaction.Flip', flip_ratio=0.5),  # draws from numpy's global generator
    dict(type='mmaction.FormatShape', input_format='NCTHW'),
    dict(
        type='mmaction.PackActionInputs',
        collect_keys=('imgs', 'key'),
        meta_keys=('img_shape', 'filename', 'sample_idx'),
    ),
]
train_dataloader = dict(
    batch_size=3,
    num_workers=0,
    drop_last=True,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=True),
    dataset=dict(type='echocardmae_mm.EchoVideoDataset', data_root=data_root, pipeline=pipeline),
)
train_cfg = dict(max_epochs=3)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05))
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=2))  # epochs have 4 iterations
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=6),
    dict(type='CosineAnnealingLR', by_epoch=True, begin=1),
]
randomness = dict(seed=3, deterministic=True)
log_level = 'WARNING'
