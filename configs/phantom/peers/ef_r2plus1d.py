"""EchoNet's network on phantoms: R(2+1)D-18 of a quarter of the width, frames of 56 x 56 pixels.

MMAction2 has this network in any width, torchvision in one.
"""

_base_ = '../../baselines/ef_r2plus1d.py'

from echocardmae_mm.recipes import demo_peer_ejection_fraction, demo_r2plus1d

globals().update(
    demo_peer_ejection_fraction(
        num_frames=8,
        frame_interval=8,
        batch_size=20,
        shift=6,
        model=dict(
            backbone=demo_r2plus1d(),
            cls_head=dict(in_channels=128),
        ),
    )
)

train_cfg = dict(max_epochs=24, val_interval=4)
optim_wrapper = dict(optimizer=dict(lr=3e-4))
param_scheduler = [dict(type='StepLR', step_size=8, gamma=0.3)]
