# Pretraining (section 3.1): AdamW at a constant 1e-4, 1600 epochs.
_base_ = 'runtime_mmaction.py'

train_cfg = dict(type='echocardmae_mm.ResumableTrainLoop', max_epochs=1600, val_interval=100)

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-4, betas=(0.9, 0.95), weight_decay=0.5),
)
auto_scale_lr = dict(enable=False, base_batch_size=64)

default_hooks = dict(
    checkpoint=dict(interval=20),
    reconstruction=dict(type='echocardmae_mm.ReconstructionHook', interval=50),
    training_mean=dict(type='echocardmae_mm.TrainingMeanHook'),
)
