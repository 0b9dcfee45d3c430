"""EchoCoTr's network on phantoms: half the width, one block a stage, frames of 56 x 56 pixels."""

_base_ = '../../baselines/ef_uniformer.py'

from echocardmae_mm.recipes import demo_peer_ejection_fraction, demo_uniformer

globals().update(
    demo_peer_ejection_fraction(
        batch_size=25,
        shift=6,
        model=dict(
            backbone=demo_uniformer(),
            cls_head=dict(in_channels=256),
        ),
    )
)

train_cfg = dict(max_epochs=40, val_interval=5)
optim_wrapper = dict(optimizer=dict(lr=3e-4))
