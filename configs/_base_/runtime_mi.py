# Fine-tuning for myocardial infarction: a fixed number of epochs, no validation, the last
# checkpoint. The paper specifies none of these settings.
_base_ = 'runtime_mmaction.py'

train_cfg = dict(type='echocardmae_mm.ResumableTrainLoop', max_epochs=100)
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-4, betas=(0.9, 0.999), weight_decay=0.05),
)
auto_scale_lr = dict(enable=False, base_batch_size=16)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=25),
    dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
]

default_hooks = dict(
    checkpoint=dict(interval=10), predictions=dict(type='echocardmae_mm.PredictionsHook')
)
