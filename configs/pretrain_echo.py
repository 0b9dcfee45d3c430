"""Pretraining as the paper's section 3.1 says: python tools/train.py configs/pretrain_echo.py"""

_base_ = [
    '_base_/models/echocardmae_vit_small.py',  # ViT-S/16, lambda 0.2, tau 0.1
    '_base_/datasets/echonet_pretrain.py',  # 112 x 112, 16 frames every 4th, random 0.75, median
    '_base_/runtime_mmaction.py',
]

train_dataloader = dict(batch_size=64)
train_cfg = dict(type='echocardmae_mm.ResumableTrainLoop', max_epochs=1600, val_interval=100)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-4, betas=(0.9, 0.95), weight_decay=0.5),
)
auto_scale_lr = dict(enable=False, base_batch_size=64)

default_hooks = dict(checkpoint=dict(interval=20))
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type='echocardmae_mm.ReconstructionHook',
        dataset=_base_.val_dataloader.dataset,
        interval=50,
    ),
    dict(type='echocardmae_mm.TrainingCurvesHook', interval=10),
]
