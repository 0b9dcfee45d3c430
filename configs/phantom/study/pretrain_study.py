"""Pretraining of the study on label efficiency: a ViT-Ti on 2,100 of 2,800 synthetic recordings.

Make the recordings first:

echocardmae phantoms --out data/study --videos 2800 --seed 11 --datasets echonet \
  --variant default vendor_b dilated noisy

The size lies between the demo's and the paper's: full frames, patches and tubelets of the paper,
half the width of its ViT-S. The learning rate is constant, so that the run can be judged along the
way and prolonged. Two CPU cores need some hours.
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
        settings=dict(neck=dict(embed_dims=128, depth=2, num_heads=4)),
    )
)

train_cfg = dict(max_epochs=200, val_interval=10)
val_cfg = dict(type='echocardmae_mm.SkippingValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(optimizer=dict(lr=5e-4, weight_decay=0.05))
param_scheduler = [dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=200)]

default_hooks = dict(
    checkpoint=dict(interval=5, max_keep_ckpts=-1), reconstruction=dict(interval=20, videos=4)
)
