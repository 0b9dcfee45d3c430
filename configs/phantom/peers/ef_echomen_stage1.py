"""Stage 1 of EchoMEN on phantoms; see ef_r2plus1d.py."""

_base_ = '../../baselines/ef_echomen_stage1.py'

from echocardmae_mm.recipes import demo_peer_ejection_fraction, demo_r2plus1d

globals().update(
    demo_peer_ejection_fraction(
        num_frames=8,
        frame_interval=8,
        num_clips=2,
        same_start=True,
        batch_size=20,
        shift=6,
        model=dict(
            backbone=demo_r2plus1d(),
            # At its full weight, the contrast outweighs the error within this short schedule.
            cls_head=dict(in_channels=128, contrast=dict(in_channels=128, loss_weight=0.05)),
        ),
    )
)

train_cfg = dict(max_epochs=24, val_interval=4)
optim_wrapper = dict(optimizer=dict(lr=3e-4), clip_grad=dict(max_norm=3000.0))
param_scheduler = [dict(type='StepLR', step_size=8, gamma=0.3)]
