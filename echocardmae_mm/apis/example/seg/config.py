classes = (
    'background',
    'left ventricle',
)
default_scope = 'mmseg'
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
        embed_dims=128,
        img_size=56,
        num_heads=4,
        patch_size=8,
        type='echocardmae_mm.FrameVisionTransformer'),
    data_preprocessor=dict(
        bgr_to_rgb=False,
        mean=[
            32.946,
            32.4105,
            32.0535,
        ],
        pad_val=0,
        seg_pad_val=255,
        size=(
            56,
            56,
        ),
        std=[
            50.337,
            49.9035,
            49.7505,
        ],
        type='SegDataPreProcessor'),
    decode_head=dict(
        depth=1,
        embed_dims=128,
        img_size=56,
        in_channels=128,
        loss_decode=[
            dict(type='echocardmae_mm.DiceLoss'),
            dict(avg_non_ignore=True, type='CrossEntropyLoss'),
        ],
        num_classes=2,
        num_heads=8,
        patch_size=8,
        type='echocardmae_mm.MAESegHead'),
    test_cfg=dict(mode='whole'),
    train_cfg=dict(),
    type='EncoderDecoder')
name = 'synthetic_seg'
palette = [
    [
        0,
        0,
        0,
    ],
    [
        230,
        75,
        53,
    ],
]
synthetic = True
task = 'segmentation'
test_pipeline = [
    dict(type='echocardmae_mm.LoadEchoFrame'),
    dict(
        interpolation='area',
        keep_ratio=False,
        scale=(
            56,
            56,
        ),
        type='Resize'),
    dict(type='echocardmae_mm.LoadEchoMask'),
    dict(
        meta_keys=(
            'filename',
            'img_path',
            'patient',
            'view',
            'quality',
            'source',
            'instant',
            'frame',
            'ef',
            'spacing',
            'ori_shape',
            'img_shape',
            'pad_shape',
            'scale_factor',
        ),
        type='PackSegInputs'),
]
