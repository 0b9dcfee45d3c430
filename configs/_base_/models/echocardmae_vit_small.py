# EchoCardMAE with a ViT-S/16 encoder (section 3.1 of the paper). Where the paper is silent the
# released code decides: docs/paper-vs-code.md lists each choice.
model = dict(
    type='echocardmae_mm.EchoCardMAE',
    data_preprocessor=dict(
        type='echocardmae_mm.ClipPairPreprocessor',
        mean=[32.946, 32.4105, 32.0535],
        std=[50.337, 49.9035, 49.7505],
    ),
    backbone=dict(
        type='echocardmae_mm.MaskedVisionTransformer',
        img_size=112,
        patch_size=16,
        num_frames=16,
        tubelet_size=2,
        embed_dims=384,
        depth=12,
        num_heads=6,
    ),
    neck=dict(
        type='echocardmae_mm.BackgroundTokenDecoder',
        img_size=112,
        patch_size=16,
        num_frames=16,
        tubelet_size=2,
        in_channels=384,
        embed_dims=192,
        depth=4,
        num_heads=3,
        background='positional',
    ),
    reconstruction_head=dict(type='echocardmae_mm.ReconstructionHead'),
    # Eq. 1 with lambda = 0.2, Eq. 2 with tau = 0.1 and a denominator without the positive
    alignment_head=dict(
        type='echocardmae_mm.AlignmentHead',
        temperature=0.1,
        loss_weight=0.2,
        include_positive=False,
        symmetric=False,
    ),
)
