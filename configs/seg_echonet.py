"""Segmentation of the left ventricle on EchoNet-Dynamic (Table 3).

python tools/train.py configs/seg_echonet.py

Starts from the encoder and decoder of configs/pretrain_echo.py. For another checkpoint, pass
--cfg-options model.backbone.init_cfg.checkpoint=FILE model.decode_head.init_cfg.checkpoint=FILE;
to train from scratch, model.backbone.init_cfg=None model.decode_head.init_cfg=None.
"""

_base_ = '_base_/runtime_seg.py'

from echocardmae_mm.recipes import segmentation

globals().update(segmentation())
