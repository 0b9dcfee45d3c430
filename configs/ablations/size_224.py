"""Frames of 224 x 224, four times the tokens: the resolution that the conclusion leaves open.

The recordings of EchoNet-Dynamic have 112 x 112 pixels and are only enlarged. Fine-tuning needs the
same img_size.
"""

_base_ = '../pretrain_echo.py'

from echocardmae_mm.recipes import pretraining

globals().update(pretraining(img_size=224))
