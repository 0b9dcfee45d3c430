"""Pretraining from VideoMAE's Kinetics-400 weights, as in the released code.

Everything else follows the paper. Convert the weights first:
echocardmae convert videomae VIDEOMAE.pth checkpoints/videomae_vit_small_k400.pth
"""

_base_ = 'pretrain_echo.py'

load_from = 'checkpoints/videomae_vit_small_k400.pth'
