# Ejection fraction of EchoNet-Dynamic's recordings: one random clip in training, shifted by up to
# 12 pixels; five even clips in validation and test (the released train_ef.py and val_ef.py).
data_root = 'data/EchoNet-Dynamic'

pack = dict(
    type='mmaction.PackActionInputs',
    algorithm_keys=('ef',),
    meta_keys=('filename', 'patient', 'source', 'clip_starts', 'padded_frames'),
)
train_pipeline = [
    dict(type='echocardmae_mm.RecordingInit'),
    dict(type='echocardmae_mm.SampleRandomClips', num_clips=1, clip_len=16, frame_interval=4),
    dict(type='echocardmae_mm.RecordingDecode'),
    dict(type='mmaction.Resize', scale=(112, 112), keep_ratio=False),
    # The border has the mean grey, which normalisation takes to about 0.
    dict(type='mmaction.TorchVisionWrapper', op='RandomCrop', size=112, padding=12, fill=32),
    dict(type='mmaction.FormatShape', input_format='NCTHW'),
    pack,
]
test_pipeline = [
    dict(type='echocardmae_mm.RecordingInit'),
    dict(type='echocardmae_mm.SampleUniformClips', num_clips=5, clip_len=16, frame_interval=4),
    dict(type='echocardmae_mm.RecordingDecode'),
    dict(type='mmaction.Resize', scale=(112, 112), keep_ratio=False),
    dict(type='mmaction.FormatShape', input_format='NCTHW'),
    pack,
]

train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=True),
    dataset=dict(
        type='echocardmae_mm.EchoNetDynamicDataset',
        data_root=data_root,
        split='train',
        require_ef=True,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=False),
    dataset=dict(
        type='echocardmae_mm.EchoNetDynamicDataset',
        data_root=data_root,
        split='val',
        require_ef=True,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = dict(
    batch_size=8,
    num_workers=4,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=False),
    dataset=dict(
        type='echocardmae_mm.EchoNetDynamicDataset',
        data_root=data_root,
        split='test',
        require_ef=True,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
val_evaluator = dict(type='echocardmae_mm.EFMetric', n_resamples=0)
test_evaluator = dict(type='echocardmae_mm.EFMetric')
