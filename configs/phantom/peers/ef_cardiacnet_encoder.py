"""CardiacNet's encoder on phantoms: a quarter of the width, frames of 56 x 56 pixels."""

_base_ = '../../baselines/ef_cardiacnet_encoder.py'

from echocardmae_mm.recipes import demo_peer_ejection_fraction

globals().update(
    demo_peer_ejection_fraction(
        num_frames=8,
        frame_interval=8,
        shift=6,
        model=dict(
            backbone=dict(base_channels=16),
            cls_head=dict(in_channels=128),
        ),
    )
)

train_cfg = dict(max_epochs=24, val_interval=4)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [dict(type='StepLR', step_size=8, gamma=0.3)]
