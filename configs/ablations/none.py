"""Table 5, row 1 (MAE 3.8894): none of the three, plain VideoMAE under the paper's masking.

The whole frame is masked, at random and 0.75 as in the other rows; VideoMAE itself has tubes and
0.9. The target is the frame as it is, and no loss compares the two clips.
"""

_base_ = '../pretrain_echo.py'

model = dict(alignment_head=None)

pretrain_pipeline = _base_.pretrain_pipeline
pretrain_pipeline[5].update(method='none')  # DenoisedTarget
pretrain_pipeline[6].update(sector='none')  # SectorMask

train_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
val_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
test_dataloader = dict(dataset=dict(pipeline=pretrain_pipeline))
test_evaluator = dict(mean_of=dict(pipeline=pretrain_pipeline))
custom_hooks = _base_.custom_hooks
custom_hooks[-2].dataset.update(pipeline=pretrain_pipeline)  # ReconstructionHook
