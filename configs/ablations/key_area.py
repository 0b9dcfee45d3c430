"""Table 5, row 2 (MAE 3.8205): key area masking alone."""

_base_ = '../pretrain_echo.py'

model = dict(alignment_head=None)

pretrain_pipeline = _base_.pretrain_pipeline
pretrain_pipeline[5].update(method='none')  # DenoisedTarget

train_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
val_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
test_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
test_evaluator = dict(mean_of=dict(pipeline=pretrain_pipeline))
custom_hooks = _base_.custom_hooks
custom_hooks[-2].dataset.update(pipeline=pretrain_pipeline)  # ReconstructionHook
