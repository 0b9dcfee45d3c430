# The two traced frames of each of EchoNet-Dynamic's recordings, shifted by up to 12 pixels in
# training (the released train_seg.py). In a test the labels keep the size of the recording.
data_root = 'data/EchoNet-Dynamic'

pack = dict(
    type='PackSegInputs',
    meta_keys=(
        'filename', 'img_path', 'patient', 'view', 'quality', 'source', 'instant', 'frame', 'ef',
        'spacing', 'ori_shape', 'img_shape', 'pad_shape', 'scale_factor',
    ),
)  # fmt: skip
train_pipeline = [
    dict(type='echocardmae_mm.LoadEchoFrame'),
    dict(type='Resize', scale=(112, 112), keep_ratio=False, interpolation='area'),
    dict(type='echocardmae_mm.LoadEchoMask', scale=(112, 112)),
    dict(type='echocardmae_mm.RandomShift', pixels=12),
    pack,
]
test_pipeline = [
    dict(type='echocardmae_mm.LoadEchoFrame'),
    dict(type='Resize', scale=(112, 112), keep_ratio=False, interpolation='area'),
    dict(type='echocardmae_mm.LoadEchoMask'),
    pack,
]
frames = dict(type='echocardmae_mm.EchoNetSegDataset', data_root=data_root)

train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=True),
    dataset=dict(frames, split='train', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=False),
    dataset=dict(frames, split='val', pipeline=test_pipeline, test_mode=True),
)
test_dataloader = dict(
    batch_size=64,
    num_workers=4,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=False),
    dataset=dict(frames, split='test', pipeline=test_pipeline, test_mode=True),
)
val_evaluator = dict(type='echocardmae_mm.EchoSegMetric', distances=False, n_resamples=0)
test_evaluator = dict(type='echocardmae_mm.EchoSegMetric')
