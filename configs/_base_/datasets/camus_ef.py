# Ejection fraction of CAMUS' four-chamber half cycles: 16 frames from end-diastole to end-systole,
# shifted by up to 12 pixels in training. Ten folds by patient (CoReEcho's blocks of the sorted
# patients); a tenth of the other patients selects the checkpoint.
data_root = 'data/CAMUS'

pack = dict(
    type='mmaction.PackActionInputs',
    algorithm_keys=('ef',),
    meta_keys=(
        'filename', 'patient', 'view', 'quality', 'source', 'clip_starts', 'padded_frames',
    ),
)  # fmt: skip
train_pipeline = [
    dict(type='echocardmae_mm.RecordingInit'),
    dict(type='echocardmae_mm.SampleRandomClips', num_clips=1, clip_len=16, span='cycle'),
    dict(type='echocardmae_mm.RecordingDecode'),
    dict(type='mmaction.Resize', scale=(112, 112), keep_ratio=False, interpolation='area'),
    dict(type='mmaction.TorchVisionWrapper', op='RandomCrop', size=112, padding=12, fill=32),
    dict(type='mmaction.FormatShape', input_format='NCTHW'),
    pack,
]
test_pipeline = [
    dict(type='echocardmae_mm.RecordingInit'),
    dict(type='echocardmae_mm.SampleUniformClips', num_clips=1, clip_len=16, span='cycle'),
    dict(type='echocardmae_mm.RecordingDecode'),
    dict(type='mmaction.Resize', scale=(112, 112), keep_ratio=False, interpolation='area'),
    dict(type='mmaction.FormatShape', input_format='NCTHW'),
    pack,
]
patients = dict(
    type='echocardmae_mm.CAMUSDataset',
    data_root=data_root,
    views='4CH',
    fold=0,
    num_folds=10,
    val_share=0.1,
)

train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=True),
    dataset=dict(patients, split='train', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=False),
    dataset=dict(patients, split='val', pipeline=test_pipeline, test_mode=True),
)
test_dataloader = dict(
    batch_size=16,
    num_workers=4,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=False),
    dataset=dict(patients, split='test', pipeline=test_pipeline, test_mode=True),
)
val_evaluator = dict(type='echocardmae_mm.EFMetric', n_resamples=0)
test_evaluator = dict(type='echocardmae_mm.EFMetric')
