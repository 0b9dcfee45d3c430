"""Stage 1 of CoReEcho on phantoms; see ef_uniformer.py."""

_base_ = '../../baselines/ef_uniformer_rnc.py'

from echocardmae_mm.recipes import demo_peer_ejection_fraction, demo_uniformer

globals().update(
    demo_peer_ejection_fraction(
        num_clips=2,
        batch_size=16,
        shift=3,
        fill=0,
        model=dict(
            backbone=demo_uniformer(),
            cls_head=dict(in_channels=256),
        ),
    )
)

train_cfg = dict(max_epochs=26, val_interval=2)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
