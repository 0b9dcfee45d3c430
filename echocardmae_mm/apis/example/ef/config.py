classes = ()
default_scope = 'mmaction'
format = 1
fps = 50.0
frame_size = (
    112,
    112,
)
framing = 'echonet'
model = dict(
    backbone=dict(
        depth=2,
        drop_path_rate=0.2,
        embed_dims=128,
        img_size=56,
        num_frames=16,
        num_heads=4,
        patch_size=8,
        tubelet_size=8,
        type='echocardmae_mm.FusedVisionTransformer'),
    cls_head=dict(
        in_channels=128,
        loss='l2',
        target='zscore',
        type='echocardmae_mm.EFHead'),
    data_preprocessor=dict(
        format_shape='NCTHW',
        mean=[
            32.946,
            32.4105,
            32.0535,
        ],
        std=[
            50.337,
            49.9035,
            49.7505,
        ],
        type='mmaction.ActionDataPreprocessor'),
    type='mmaction.Recognizer3D')
name = 'synthetic_ef'
palette = []
synthetic = True
task = 'ejection_fraction'
test_pipeline = [
    dict(type='echocardmae_mm.RecordingInit'),
    dict(
        clip_len=16,
        frame_interval=4,
        num_clips=5,
        type='echocardmae_mm.SampleUniformClips'),
    dict(type='echocardmae_mm.RecordingDecode'),
    dict(
        interpolation='area',
        keep_ratio=False,
        scale=(
            56,
            56,
        ),
        type='echocardmae_mm.ResizeFrames'),
    dict(input_format='NCTHW', type='mmaction.FormatShape'),
    dict(
        algorithm_keys=('ef', ),
        meta_keys=(
            'filename',
            'patient',
            'source',
            'clip_starts',
            'padded_frames',
        ),
        type='mmaction.PackActionInputs'),
]
