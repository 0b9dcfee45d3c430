"""Ejection fraction on EchoNet-Dynamic (Table 1): python tools/train.py configs/ef_echonet.py

It starts from the encoder of configs/pretrain_echo.py; from another one, or from scratch, by
--cfg-options model.backbone.init_cfg.checkpoint=FILE, or model.backbone.init_cfg=None
"""

_base_ = '_base_/runtime_ef.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(ejection_fraction())
