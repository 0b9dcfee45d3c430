# Pairs of clips of EchoNet-Dynamic's recordings, without labels (sections 2.1, 2.2, 2.4 and 3.1).
data_root = 'data/EchoNet-Dynamic'

pretrain_pipeline = [
    dict(type='echocardmae_mm.RecordingInit'),
    dict(type='echocardmae_mm.SampleRandomClips', clip_len=16, frame_interval=4),
    dict(type='echocardmae_mm.RecordingDecode'),
    dict(type='mmaction.Resize', scale=(112, 112), keep_ratio=False),
    dict(type='mmaction.FormatShape', input_format='NCTHW'),
    dict(type='echocardmae_mm.DenoisedTarget', method='median'),
    dict(
        type='echocardmae_mm.SectorMask',
        patch_size=16,
        strategy='random',
        mask_ratio=0.75,
        sector='template',
    ),
    dict(
        type='mmaction.PackActionInputs',
        collect_keys=('imgs', 'target', 'sector', 'masked'),
        meta_keys=('img_shape', 'filename', 'sample_idx'),
    ),
]

train_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=True),
    dataset=dict(
        type='echocardmae_mm.EchoNetDynamicDataset',
        data_root=data_root,
        split='train',
        pipeline=pretrain_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=False),
    dataset=dict(
        type='echocardmae_mm.EchoNetDynamicDataset',
        data_root=data_root,
        split='val',
        pipeline=pretrain_pipeline,
        test_mode=True,
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=4,
    sampler=dict(type='echocardmae_mm.EpochSampler', shuffle=False),
    dataset=dict(
        type='echocardmae_mm.EchoNetDynamicDataset',
        data_root=data_root,
        split='test',
        pipeline=pretrain_pipeline,
        test_mode=True,
    ),
)
val_evaluator = dict(type='echocardmae_mm.ReconstructionMetric')
test_evaluator = dict(
    type='echocardmae_mm.ReconstructionMetric', mean_of=train_dataloader['dataset']
)
