"""The left ventricle in whole clips: the pretrained video encoder sees 16 frames and labels each.

python tools/train.py configs/seg_echonet_video.py

It learns from the traced end-diastole and end-systole alone, and starts as configs/seg_echonet.py.
"""

_base_ = ['_base_/datasets/echonet_seg_video.py', '_base_/runtime_seg.py']

pretrained = 'work_dirs/pretrain_echo/epoch_1600.pth'
model = dict(
    type='echocardmae_mm.ClipSegmentor',
    data_preprocessor=dict(
        type='mmaction.ActionDataPreprocessor',
        mean=[32.946, 32.4105, 32.0535],
        std=[50.337, 49.9035, 49.7505],
        format_shape='NCTHW',
    ),
    backbone=dict(
        type='echocardmae_mm.FusedVisionTransformer',
        img_size=112,
        patch_size=16,
        num_frames=16,
        tubelet_size=2,
        embed_dims=384,
        depth=12,
        num_heads=6,
        use_mean_pooling=False,
        return_feat_map=True,
        init_cfg=dict(type='Pretrained', checkpoint=pretrained, prefix='backbone.'),
    ),
    decode_head=dict(
        type='echocardmae_mm.MAESegHead',
        num_classes=2,
        in_dims=384,
        embed_dims=192,
        depth=4,
        num_heads=3,
        img_size=112,
        patch_size=16,
        num_frames=16,
        tubelet_size=2,
        loss_decode=[
            dict(type='echocardmae_mm.DiceLoss'),
            dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True),
        ],
        init_cfg=dict(type='Pretrained', checkpoint=pretrained, prefix='neck.'),
    ),
)
