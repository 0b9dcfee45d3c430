"""Frames of 224 x 224, four times the tokens: the resolution that the conclusion leaves open.

EchoNet-Dynamic's recordings have 112 x 112 pixels and are only enlarged. What follows pretraining
needs the same size: img_size of its backbone, and scale of Resize.
"""

_base_ = '../pretrain_echo.py'

size = dict(img_size=224)
model = dict(backbone=size, neck=size)

pretrain_pipeline = _base_.pretrain_pipeline
pretrain_pipeline[3].update(scale=(224, 224))  # Resize

train_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
val_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
test_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
test_evaluator = dict(mean_of=dict(pipeline=pretrain_pipeline))
custom_hooks = _base_.custom_hooks
custom_hooks[-2].dataset.update(pipeline=pretrain_pipeline)  # ReconstructionHook
