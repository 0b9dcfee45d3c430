"""Ejection fraction as the authors' released code (train_ef.py, val_ef.py) runs it.

Patch 8, no attention bias, a bias that starts at 55.6 %, a single random clip of each recording in
validation; the test takes five even clips. The released code trains with float16: add --amp on a
GPU. It starts from configs/release/pretrain_echo.py, or from the released weights, converted as
docs/converters.md says, by --cfg-options model.backbone.init_cfg.checkpoint=FILE
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
