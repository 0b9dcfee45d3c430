"""Frames of 224 pixels, the paper's stated limitation: four times the tokens of 112.

EchoNet-Dynamic is stored at 112 pixels: this size asks something of recordings that have more.
"""

_base_ = '../pretrain_echo.py'

model = dict(backbone=dict(img_size=224), neck=dict(img_size=224))

pretrain_pipeline = _base_.pretrain_pipeline
pretrain_pipeline[3].update(scale=(224, 224))  # Resize

train_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
val_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
test_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
test_evaluator = dict(mean_of=dict(pipeline=pretrain_pipeline))
custom_hooks = _base_.custom_hooks
custom_hooks[-2].dataset.update(pipeline=pretrain_pipeline)  # ReconstructionHook
