"""Nine tenths of the sector are masked, as VideoMAE has it; the paper has 0.75."""

_base_ = '../pretrain_echo.py'

pretrain_pipeline = _base_.pretrain_pipeline
pretrain_pipeline[6].update(mask_ratio=0.9)  # SectorMask

train_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
val_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
test_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
test_evaluator = dict(mean_of=dict(pipeline=pretrain_pipeline))
custom_hooks = _base_.custom_hooks
custom_hooks[-2].dataset.update(pipeline=pretrain_pipeline)  # ReconstructionHook
