# Fine-tuning for segmentation as in the released train_seg.py: AdamW at a constant 1e-4, early
# stopping after 26 epochs without improvement. The released code selects the checkpoint by
# validation loss; MMSegmentation's loop computes none, so these configs select by Dice.
_base_ = 'runtime_mmaction.py'

default_scope = 'mmseg'
train_cfg = dict(type='echocardmae_mm.ResumableTrainLoop', max_epochs=1000, val_interval=1)
val_cfg = dict(type='echocardmae_mm.SkippingValLoop')
test_cfg = dict(type='TestLoop')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-4, betas=(0.9, 0.999), weight_decay=1e-4),
)
auto_scale_lr = dict(enable=False, base_batch_size=64)

default_hooks = dict(
    checkpoint=dict(save_best='seg/dice_pooled', rule='greater'),
    early_stopping=dict(
        type='echocardmae_mm.ResumableEarlyStoppingHook',
        monitor='seg/dice_pooled',
        rule='greater',
        min_delta=0,
        patience=26,
    ),
    predictions=dict(type='echocardmae_mm.PredictionsHook'),
    segmentation=dict(type='echocardmae_mm.SegmentationHook', interval=10),
)
