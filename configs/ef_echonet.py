"""Ejection fraction on EchoNet-Dynamic (Table 1): python tools/train.py configs/ef_echonet.py

Starts from the encoder of configs/pretrain_echo.py. For another encoder, pass
--cfg-options model.backbone.init_cfg.checkpoint=FILE; to train from scratch,
--cfg-options model.backbone.init_cfg=None.
"""

_base_ = '_base_/runtime_ef.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(ejection_fraction())
