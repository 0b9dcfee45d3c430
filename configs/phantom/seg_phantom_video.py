"""Segmentation of clips, at the size of seg_phantom.py and with as many samples.

A patch is 8 frames long. With every frame sampled, it covers the same time as a patch of the paper,
which has two frames at an interval of 4. At that interval, systole would end within one patch here.
"""

_base_ = '../_base_/runtime_seg.py'

from echocardmae_mm.recipes import clip_segmentation, demo_size

globals().update(
    clip_segmentation(
        dataset=dict(
            type='echocardmae_mm.EchoNetSegDataset', data_root='data/phantom/EchoNet-Dynamic'
        ),
        frame_interval=1,
        decoder=dict(embed_dims=128, depth=1, num_heads=8),
        checkpoint='work_dirs/phantom/pretrain_phantom/epoch_24.pth',
        num_workers=2,
        shift=6,
        **demo_size(),
    )
)

train_cfg = dict(max_epochs=40, val_interval=10)
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05), clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
]
