"""Frames of 224 x 224 pixels, four times the tokens: the paper's conclusion leaves this open.

The recordings of EchoNet-Dynamic have 112 x 112 pixels and are only enlarged. Fine-tune with the
same img_size.
"""

_base_ = '../pretrain_echo.py'

from echocardmae_mm.recipes import pretraining

globals().update(pretraining(img_size=224))
