"""Infarction on HMC-QU phantoms, one wall region of which moves badly, from the demo's encoder.

echocardmae phantoms --out data/phantom --hmcqu 240 --seed 1 --datasets hmcqu
echocardmae cross-validate configs/phantom/mi_phantom.py
"""

_base_ = '../_base_/runtime_mi.py'

from echocardmae_mm.recipes import demo_size, infarction

globals().update(
    infarction(
        data_root='data/phantom/HMC-QU',
        checkpoint='work_dirs/phantom/pretrain_phantom/epoch_24.pth',
        batch_size=32,
        num_workers=2,
        shift=6,
        traced_only=False,
        # The class weights of HMC-QU do not apply: the phantoms have other proportions.
        settings=dict(cls_head=dict(loss_cls=dict(class_weight=None))),
        **demo_size(),
    )
)

train_cfg = dict(max_epochs=200)
default_hooks = dict(checkpoint=dict(interval=50))
optim_wrapper = dict(optimizer=dict(lr=1e-3, weight_decay=0.05), clip_grad=dict(max_norm=1.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
]
