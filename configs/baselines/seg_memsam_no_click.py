"""Segmentation of the left ventricle in clips with MemSAM, without a click: it sees no truth.

Starts from SAM's ViT-B (docs/converters.md), of which only the additions are trained. Network,
losses and optimizer follow dengxl0520/MemSAM; data, augmentation and checkpoint selection are this
package's (docs/baselines.md).
"""

_base_ = '../_base_/runtime_seg.py'

from echocardmae_mm.recipes import memsam

globals().update(memsam())

load_from = 'checkpoints/sam_vit_b.pth'

# An epoch here has each clip twice, once for each traced frame; MemSAM trains for 30 epochs.
train_cfg = dict(max_epochs=15)
optim_wrapper = dict(optimizer=dict(weight_decay=0.1))
param_scheduler = [
    dict(type='LinearLR', start_factor=1 / 250, by_epoch=False, begin=0, end=250),
    dict(type='PolyLR', power=0.9, by_epoch=True, convert_to_iter_based=True),
]
auto_scale_lr = dict(base_batch_size=1)
