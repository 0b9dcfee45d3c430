"""Segmentation as in the authors' released code (train_seg.py).

Patch 8, a new patch embedding, learnable positions, norms with eps 1e-5, no attention bias and Dice
loss alone.

Starts from configs/release/pretrain_echo.py. To start from the released weights, convert them
(docs/converters.md) and set the checkpoint as in configs/seg_echonet.py.

The released code trains in float16. To do the same on a GPU, add
--cfg-options optim_wrapper.type=AmpOptimWrapper.
"""

_base_ = '../_base_/runtime_seg.py'

from echocardmae_mm.recipes import segmentation

globals().update(
    segmentation(
        patch_size=8,
        checkpoint='work_dirs/release/pretrain_echo/epoch_1600.pth',
        settings=dict(
            backbone=dict(
                attn_bias=False,
                fresh_patch_embed=True,
                use_learnable_pos_emb=True,
                norm_cfg=dict(type='LN', eps=1e-5),
            ),
            decode_head=dict(
                attn_bias=False,
                use_learnable_pos_emb=True,
                norm_cfg=dict(type='LN', eps=1e-5),
                loss_decode=[dict(type='echocardmae_mm.DiceLoss')],
            ),
        ),
    )
)
