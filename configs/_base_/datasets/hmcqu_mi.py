# Myocardial infarction of HMC-QU's four-chamber recordings: the 109 of Table 4, each by 16 frames
# of its given cycle, cut to the sector, and shifted by up to 12 pixels in training. Five folds by
# patient; all other patients train, for a fixed number of epochs, so that nothing is selected.
data_root = 'data/HMC-QU'

pack = dict(
    type='mmaction.PackActionInputs',
    meta_keys=('filename', 'patient', 'view', 'source', 'clip_starts', 'padded_frames'),
)
clip = [
    dict(type='echocardmae_mm.RecordingInit'),
    dict(type='echocardmae_mm.SampleUniformClips', num_clips=1, clip_len=16, span='cycle'),
    dict(type='echocardmae_mm.RecordingDecode'),
    dict(type='echocardmae_mm.CropToSector', size=112),
]
train_pipeline = [
    dict(type='echocardmae_mm.CachedTransforms', transforms=clip),
    dict(type='mmaction.TorchVisionWrapper', op='RandomCrop', size=112, padding=12, fill=32),
    dict(type='mmaction.FormatShape', input_format='NCTHW'),
    pack,
]
test_pipeline = [*clip, dict(type='mmaction.FormatShape', input_format='NCTHW'), pack]
recordings = dict(
    type='echocardmae_mm.HMCQUDataset', data_root=data_root, view='A4C', fold=0, num_folds=5
)

train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=True),
    dataset=dict(recordings, split='train', pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=16,
    num_workers=4,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=False),
    dataset=dict(recordings, split='test', pipeline=test_pipeline, test_mode=True),
)
test_evaluator = dict(type='echocardmae_mm.DiagnosisMetric')
