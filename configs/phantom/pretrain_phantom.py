"""The demo's pretraining on synthetic recordings, small enough for a few minutes on two CPU cores.

Make the recordings first: echocardmae phantoms --out data/phantom --videos 800 --seed 1

Frames have half the paper's size. A token covers 8 x 8 pixels and 8 frames, long enough to show
motion; a clip has a quarter of the paper's tokens.
"""

_base_ = '../_base_/runtime_pretrain.py'

from echocardmae_mm.recipes import demo_size, pretraining

globals().update(
    pretraining(
        dataset=dict(
            type='echocardmae_mm.EchoNetDynamicDataset', data_root='data/phantom/EchoNet-Dynamic'
        ),
        batch_size=8,
        num_workers=2,
        interpolation='area',
        settings=dict(
            # The released code's smaller weights (sd 0.02) learn too slowly for this schedule.
            backbone=dict(
                init_cfg=dict(type='Xavier', layer='Linear', distribution='uniform', bias=0.0)
            ),
            neck=dict(embed_dims=128, depth=1, num_heads=8),
            # At the paper's 0.2, alignment outweighs reconstruction within this short schedule.
            alignment_head=dict(loss_weight=0.02),
        ),
        **demo_size(),
    )
)

train_cfg = dict(max_epochs=24, val_interval=12)
val_cfg = dict(type='echocardmae_mm.SkippingValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    optimizer=dict(lr=2e-3, weight_decay=0.05),
    # The 1536 values of a patch are strongly correlated. At the full rate, the embedding would soon
    # encode brightness alone, and fine-tuning would have to undo that.
    paramwise_cfg=dict(custom_keys={'backbone.patch_embed': dict(lr_mult=0.05)}),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
]

default_hooks = dict(checkpoint=dict(interval=4), reconstruction=dict(interval=8, videos=4))
