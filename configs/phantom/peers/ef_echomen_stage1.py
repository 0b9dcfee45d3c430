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
            cls_head=dict(in_channels=128, contrast=dict(in_channels=128)),
        ),
    )
)

train_cfg = dict(max_epochs=8, val_interval=2)
optim_wrapper = dict(optimizer=dict(lr=1e-4), clip_grad=dict(max_norm=300.0))
param_scheduler = [dict(type='StepLR', step_size=3, gamma=0.3)]
