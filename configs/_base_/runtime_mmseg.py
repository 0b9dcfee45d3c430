# How a run of MMSegmentation's kind goes: logged and saved by iteration. The loop still goes by
# epochs, whose orders are what resuming exactly rests on: set max_epochs in place of max_iters.
_base_ = 'runtime_mmaction.py'

default_scope = 'mmseg'
default_hooks = dict(
    logger=dict(interval=50, log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=1000),
)
log_processor = dict(by_epoch=False)
visualizer = dict(type='SegLocalVisualizer', name='visualizer')
