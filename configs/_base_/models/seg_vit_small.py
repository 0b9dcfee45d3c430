# Segmentation of single frames: ViT-S/16 and its decoder as they were pretrained, with a fresh
# linear layer that tells the class of each pixel of a patch (the released train_seg.py).
pretrained = 'work_dirs/pretrain_echo/epoch_1600.pth'

model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[32.946, 32.4105, 32.0535],
        std=[50.337, 49.9035, 49.7505],
        bgr_to_rgb=False,
        size=(112, 112),
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone=dict(
        type='echocardmae_mm.FrameVisionTransformer',
        img_size=112,
        patch_size=16,
        tubelet_size=2,
        embed_dims=384,
        depth=12,
        num_heads=6,
        init_cfg=dict(type='Pretrained', checkpoint=pretrained, prefix='backbone.'),
    ),
    decode_head=dict(
        type='echocardmae_mm.MAESegHead',
        num_classes=2,
        in_channels=384,
        embed_dims=192,
        depth=4,
        num_heads=3,
        img_size=112,
        patch_size=16,
        loss_decode=[
            dict(type='echocardmae_mm.DiceLoss'),
            dict(type='CrossEntropyLoss', avg_non_ignore=True),
        ],
        init_cfg=dict(type='Pretrained', checkpoint=pretrained, prefix='neck.'),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
