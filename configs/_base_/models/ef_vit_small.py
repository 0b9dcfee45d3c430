# Ejection fraction from a ViT-S/16 that starts as the pretrained encoder (section 3.1), with the
# released code's head: docs/paper-vs-code.md.
model = dict(
    type='mmaction.Recognizer3D',
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
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/pretrain_echo/epoch_1600.pth',
            prefix='backbone.',
        ),
    ),
    cls_head=dict(type='echocardmae_mm.EFHead', in_channels=384),
)
