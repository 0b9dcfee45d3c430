"""The demo's segmentation, from the encoder and decoder of configs/phantom/pretrain_phantom.py.

Frames are resized to 56 pixels, as in pretraining; tests compare masks at the original 112.
"""

_base_ = '../_base_/runtime_seg.py'

from echocardmae_mm.recipes import demo_size, segmentation

globals().update(
    segmentation(
        dataset=dict(
            type='echocardmae_mm.EchoNetSegDataset', data_root='data/phantom/EchoNet-Dynamic'
        ),
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
