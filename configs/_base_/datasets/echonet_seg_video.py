# Clips of EchoNet-Dynamic around a traced frame, at a random place of the clip in training and in
# its middle in a test; what is traced among its 16 frames is labelled.
_base_ = 'echonet_seg.py'

train_pipeline = [
    dict(type='echocardmae_mm.RecordingInit'),
    dict(type='echocardmae_mm.SampleLabelledClip', clip_len=16, frame_interval=4),
    dict(type='echocardmae_mm.RecordingDecode'),
    dict(type='mmaction.Resize', scale=(112, 112), keep_ratio=False, interpolation='area'),
    dict(type='echocardmae_mm.LoadEchoMask', scale=(112, 112)),
    dict(type='echocardmae_mm.RandomShift', pixels=12),
    dict(type='mmaction.FormatShape', input_format='NCTHW'),
    dict(type='echocardmae_mm.PackSegClip'),
]
test_pipeline = [
    dict(type='echocardmae_mm.RecordingInit'),
    dict(type='echocardmae_mm.SampleLabelledClip', clip_len=16, frame_interval=4, place='middle'),
    dict(type='echocardmae_mm.RecordingDecode'),
    dict(type='mmaction.Resize', scale=(112, 112), keep_ratio=False, interpolation='area'),
    dict(type='echocardmae_mm.LoadEchoMask'),
    dict(type='mmaction.FormatShape', input_format='NCTHW'),
    dict(type='echocardmae_mm.PackSegClip'),
]

train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=16, dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(batch_size=16, dataset=dict(pipeline=test_pipeline))
