"""configs/pretrain_echo_packed.py with tokens of 8 x 8 pixels, as large as the released code's."""

_base_ = '../pretrain_echo_packed.py'

model = dict(backbone=dict(patch_size=8), neck=dict(patch_size=8, background='single'))

pretrain_pipeline = _base_.pretrain_pipeline
pretrain_pipeline[6].update(patch_size=8)  # SectorMask
dataset = dict(pipeline=pretrain_pipeline)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
test_evaluator = dict(mean_of=dataset)
custom_hooks = _base_.custom_hooks
custom_hooks[-2].dataset.update(dataset)  # ReconstructionHook
