"""Section 2.2: tube masking, one draw for all time slots. The paper prints no figure."""

_base_ = '../pretrain_echo.py'

pretrain_pipeline = _base_.pretrain_pipeline
pretrain_pipeline[6].update(strategy='tube')  # SectorMask

train_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
val_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
test_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
test_evaluator = dict(mean_of=dict(pipeline=pretrain_pipeline))
custom_hooks = _base_.custom_hooks
custom_hooks[-2].dataset.update(pipeline=pretrain_pipeline)  # ReconstructionHook
