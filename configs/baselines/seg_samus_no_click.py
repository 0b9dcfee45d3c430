"""Segmentation of the left ventricle with SAMUS, without a click: it sees no truth.

Starts from SAM's ViT-B (docs/converters.md), of which only the additions are trained. Network,
losses and optimizer follow xianlin7/SAMUS; data, augmentation and checkpoint selection are this
package's (docs/baselines.md).
"""

_base_ = '../_base_/runtime_seg.py'

from echocardmae_mm.recipes import samus

globals().update(samus())

load_from = 'checkpoints/sam_vit_b.pth'

train_cfg = dict(max_epochs=400)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr=1e-4))
auto_scale_lr = dict(base_batch_size=8)
