"""Stage 2 of CoReEcho: the head alone, for 5 epochs on the frozen network of stage 1.

Starts from the best epoch of configs/baselines/ef_uniformer_rnc.py, or from another checkpoint
with --cfg-options load_from=FILE.
"""

_base_ = 'ef_uniformer_rnc.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(
    ejection_fraction(
        num_frames=36,
        batch_size=16,
        shift=6,
        fill=0,
        model=dict(cls_head=dict(contrast=None, stop_gradient=False)),
    )
)

load_from = 'work_dirs/baselines/ef_uniformer_rnc/best_ef_mae_epoch_*.pth'

train_cfg = dict(max_epochs=5)
param_scheduler = []
default_hooks = dict(frozen_backbone=dict(type='echocardmae_mm.FrozenBackboneHook'))
find_unused_parameters = True  # for several GPUs
