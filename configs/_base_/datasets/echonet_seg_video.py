# Clips of EchoNet-Dynamic around a traced frame, at a random place of the clip in training and in
# its middle in a test; what is traced among its 16 frames is labelled.
data_root = 'data/EchoNet-Dynamic'

train_pipeline = [
    dict(type='echocardmae_mm.OpenRecording'),
    dict(type='echocardmae_mm.SampleLabelledClip', clip_len=16, interval=4),
    dict(type='echocardmae_mm.ReadFrames'),
    dict(type='mmaction.Resize', scale=(112, 112), keep_ratio=False),
    dict(type='echocardmae_mm.LoadEchoMask', scale=(112, 112)),
    dict(type='echocardmae_mm.RandomShift', pixels=12),
    dict(type='mmaction.FormatShape', input_format='NCTHW'),
    dict(type='echocardmae_mm.PackSegClip'),
]
test_pipeline = [
    dict(type='echocardmae_mm.OpenRecording'),
    dict(type='echocardmae_mm.SampleLabelledClip', clip_len=16, interval=4, place='middle'),
    dict(type='echocardmae_mm.ReadFrames'),
    dict(type='mmaction.Resize', scale=(112, 112), keep_ratio=False),
    dict(type='echocardmae_mm.LoadEchoMask'),
    dict(type='mmaction.FormatShape', input_format='NCTHW'),
    dict(type='echocardmae_mm.PackSegClip'),
]
frames = dict(type='echocardmae_mm.EchoNetSegDataset', data_root=data_root)

train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=True),
    dataset=dict(frames, split='train', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=False),
    dataset=dict(frames, split='val', pipeline=test_pipeline, test_mode=True),
)
test_dataloader = dict(
    batch_size=16,
    num_workers=4,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=False),
    dataset=dict(frames, split='test', pipeline=test_pipeline, test_mode=True),
)
val_evaluator = dict(type='echocardmae_mm.EchoSegMetric', distances=False, resamples=0)
test_evaluator = dict(type='echocardmae_mm.EchoSegMetric')
