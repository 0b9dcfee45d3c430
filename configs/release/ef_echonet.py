"""Ejection fraction as in the authors' released code (train_ef.py, val_ef.py).

Patch 8, no attention bias, an initial bias of 55.6 %, one random clip per recording in validation
and five even ones in the test.

Starts from configs/release/pretrain_echo.py. To start from the released weights, convert them
(docs/converters.md) and pass --cfg-options model.backbone.init_cfg.checkpoint=FILE.

The released code trains in float16. To do the same on a GPU, add
--cfg-options optim_wrapper.type=AmpOptimWrapper.
"""

_base_ = '../_base_/runtime_ef.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(
    ejection_fraction(
        patch_size=8,
        random_validation=True,
        checkpoint='work_dirs/release/pretrain_echo/epoch_1600.pth',
        settings=dict(backbone=dict(attn_bias=False), cls_head=dict(mean=55.6)),
    )
)
