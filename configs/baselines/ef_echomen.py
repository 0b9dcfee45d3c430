"""Stage 2 of EchoMEN (Table 1: MAE 3.93): three experts on the frozen network of stage 1.

Starts from the best epoch of configs/baselines/ef_echomen_stage1.py, or from another checkpoint
with --cfg-options load_from=FILE.
"""

_base_ = 'ef_r2plus1d.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(
    ejection_fraction(
        num_frames=32,
        frame_interval=2,
        batch_size=20,
        shift=0,
        model=dict(
            cls_head=dict(
                _delete_=True,
                type='echocardmae_mm.MultiExpertHead',
                in_channels=512,
                powers=(0.0, 0.5, 1.0),
                counts=(80.0, 1000.0),
            )
        ),
    )
)

load_from = 'work_dirs/baselines/ef_echomen_stage1/best_ef_mae_epoch_*.pth'

train_cfg = dict(max_epochs=20)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='SGD', lr=1e-4))
param_scheduler = [dict(type='StepLR', step_size=5, gamma=0.1)]
default_hooks = dict(frozen_backbone=dict(type='echocardmae_mm.FrozenBackboneHook'))
find_unused_parameters = True  # for several GPUs
