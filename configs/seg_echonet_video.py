"""The left ventricle in whole clips: the pretrained video encoder sees 16 frames and labels each.

python tools/train.py configs/seg_echonet_video.py

It learns from the traced end-diastole and end-systole alone, and starts as configs/seg_echonet.py.
"""

_base_ = [
    '_base_/models/seg_vit_small.py',
    '_base_/datasets/echonet_seg_video.py',
    '_base_/runtime_seg.py',
]

model = dict(
    type='echocardmae_mm.ClipSegmentor',
    data_preprocessor=dict(
        _delete_=True,
        type='mmaction.ActionDataPreprocessor',
        mean=[32.946, 32.4105, 32.0535],
        std=[50.337, 49.9035, 49.7505],
        format_shape='NCTHW',
    ),
    backbone=dict(
        type='echocardmae_mm.FusedVisionTransformer',
        num_frames=16,
        use_mean_pooling=False,
        return_feat_map=True,
    ),
    decode_head=dict(num_frames=16, tubelet_size=2),
)
