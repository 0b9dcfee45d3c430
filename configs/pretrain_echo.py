"""Pretraining as in section 3.1 of the paper: python tools/train.py configs/pretrain_echo.py"""

_base_ = '_base_/runtime_pretrain.py'

from echocardmae_mm.recipes import pretraining

globals().update(pretraining())

val_cfg = dict(type='echocardmae_mm.SkippingValLoop')
test_cfg = dict(type='TestLoop')
