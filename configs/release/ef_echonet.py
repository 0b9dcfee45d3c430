"""Ejection fraction as the authors' released code (train_ef.py, val_ef.py) runs it.

Patch 8, no attention bias, a bias that starts at 55.6 %, a single random clip of each recording in
validation; the test takes five even clips. The released code trains with float16: add --amp on a
GPU. It starts from configs/release/pretrain_echo.py, or from the released weights, converted as
docs/converters.md says, by --cfg-options model.backbone.init_cfg.checkpoint=FILE
"""

_base_ = '../ef_echonet.py'

model = dict(
    backbone=dict(
        patch_size=8,
        attn_bias=False,
        init_cfg=dict(checkpoint='work_dirs/release/pretrain_echo/epoch_1600.pth'),
    ),
    cls_head=dict(mean=55.6),
)

one_random_clip = _base_.test_pipeline
one_random_clip[1] = dict(_base_.train_pipeline[1])
val_dataloader = dict(dataset=dict(pipeline=one_random_clip))
