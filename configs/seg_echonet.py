"""The left ventricle on EchoNet-Dynamic (Table 3): python tools/train.py configs/seg_echonet.py

It starts from the encoder and the decoder of configs/pretrain_echo.py; from another checkpoint by
--cfg-options model.backbone.init_cfg.checkpoint=FILE model.decode_head.init_cfg.checkpoint=FILE,
from scratch by model.backbone.init_cfg=None model.decode_head.init_cfg=None
"""

_base_ = '_base_/runtime_seg.py'

from echocardmae_mm.recipes import segmentation

globals().update(segmentation())
