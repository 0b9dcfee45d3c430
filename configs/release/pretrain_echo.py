"""Pretraining as in the authors' released code, v0.1.0 (docs/paper-vs-code.md).

Starts from VideoMAE's Kinetics-400 weights. Convert them first:
echocardmae convert videomae VIDEOMAE.pth checkpoints/videomae_vit_small_p8_k400.pth --patch-size 8

The released code trains in float16. To do the same on a GPU, add
--cfg-options optim_wrapper.type=AmpOptimWrapper.
"""

_base_ = '../pretrain_echo.py'

load_from = 'checkpoints/videomae_vit_small_p8_k400.pth'

model = dict(
    patch_size=8,
    backbone=dict(attn_bias=False),
    neck=dict(background='single', attn_bias=False),
    reconstruction_head=dict(loss_weight=0.8),
    alignment_head=dict(include_positive=True, symmetric=True),
)

train_dataloader = dict(batch_size=16)
optim_wrapper = dict(optimizer=dict(weight_decay=5e-2))
auto_scale_lr = dict(base_batch_size=16)
