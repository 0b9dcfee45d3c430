"""A small SAMUS on phantoms, from scratch and without a click: it sees no truth."""

_base_ = '../../_base_/runtime_seg.py'

from echocardmae_mm.recipes import demo_samus

globals().update(demo_samus())

train_cfg = dict(max_epochs=10, val_interval=5)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05), clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
]
