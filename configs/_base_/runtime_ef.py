# Fine-tuning for ejection fraction as in the released train_ef.py: AdamW at a constant 1e-5, early
# stopping after 26 epochs without improvement, the checkpoint with the smallest validation error.
_base_ = 'runtime_mmaction.py'

train_cfg = dict(type='echocardmae_mm.ResumableTrainLoop', max_epochs=1000, val_interval=1)
val_cfg = dict(type='echocardmae_mm.SkippingValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-5, betas=(0.9, 0.999), weight_decay=1e-4),
)
auto_scale_lr = dict(enable=False, base_batch_size=16)

default_hooks = dict(
    checkpoint=dict(save_best='ef/mae', rule='less'),
    target_statistics=dict(type='echocardmae_mm.TargetStatisticsHook'),
    early_stopping=dict(
        type='echocardmae_mm.ResumableEarlyStoppingHook',
        monitor='ef/mae',
        rule='less',
        min_delta=0,
        patience=26,
    ),
    predictions=dict(type='echocardmae_mm.PredictionsHook'),
)
