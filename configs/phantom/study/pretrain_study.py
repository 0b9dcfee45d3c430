"""Pretraining of the study on what features hold: a ViT-Ti on 2,100 of 2,800 synthetic recordings.

Make the recordings first:

echocardmae phantoms --out data/study --videos 2800 --seed 11 --datasets echonet \
  --variant default vendor_b dilated noisy

The size lies between the demo's and the paper's: full frames, patches and tubelets of the paper,
half the width of its ViT-S. Two CPU cores need about an hour with --amp.
"""

_base_ = '../../_base_/runtime_pretrain.py'

from echocardmae_mm.recipes import pretraining

globals().update(
    pretraining(
        dataset=dict(
            type='echocardmae_mm.EchoNetDynamicDataset', data_root='data/study/EchoNet-Dynamic'
        ),
        batch_size=32,
        num_workers=1,
        embed_dims=192,
        num_heads=3,
        settings=dict(
            # The schedule is as short as the demo's, whose settings it takes.
            backbone=dict(
                init_cfg=dict(type='Xavier', layer='Linear', distribution='uniform', bias=0.0)
            ),
            neck=dict(embed_dims=128, depth=2, num_heads=4),
            alignment_head=dict(loss_weight=0.02),
        ),
    )
)

train_cfg = dict(max_epochs=30, val_interval=5)
val_cfg = dict(type='echocardmae_mm.SkippingValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    optimizer=dict(lr=1e-3, weight_decay=0.05),
    paramwise_cfg=dict(custom_keys={'backbone.patch_embed': dict(lr_mult=0.05)}),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
]

default_hooks = dict(
    checkpoint=dict(interval=5, max_keep_ckpts=-1), reconstruction=dict(interval=10, videos=4)
)
