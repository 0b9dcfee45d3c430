"""Pretraining as the paper says, from VideoMAE's Kinetics-400 weights, as the released code does.

Convert them first:
echocardmae convert videomae VIDEOMAE.pth checkpoints/videomae_vit_small_k400.pth
"""

_base_ = 'pretrain_echo.py'

load_from = 'checkpoints/videomae_vit_small_k400.pth'
