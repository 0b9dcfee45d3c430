"""Ejection fraction on EchoNet-Dynamic (Table 1): python tools/train.py configs/ef_echonet.py

It starts from the encoder of configs/pretrain_echo.py; from another one, or from scratch, by
--cfg-options model.backbone.init_cfg.checkpoint=FILE, or model.backbone.init_cfg=None
"""

_base_ = [
    '_base_/models/ef_vit_small.py',
    '_base_/datasets/echonet_ef.py',
    '_base_/runtime_ef.py',
]
