"""Stage 2 of CoReEcho on phantoms; see ef_uniformer.py."""

_base_ = '../../baselines/ef_uniformer_rnc_stage2.py'

from echocardmae_mm.recipes import demo_peer_ejection_fraction, demo_uniformer

globals().update(
    demo_peer_ejection_fraction(
        batch_size=16,
        shift=3,
        fill=0,
        model=dict(
            backbone=demo_uniformer(),
            cls_head=dict(in_channels=256),
        ),
    )
)

load_from = 'work_dirs/phantom/peers/ef_uniformer_rnc/best_ef_mae_epoch_*.pth'

train_cfg = dict(max_epochs=10, val_interval=2)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
