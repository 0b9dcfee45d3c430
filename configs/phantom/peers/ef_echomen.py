"""Stage 2 of EchoMEN on phantoms; see ef_r2plus1d.py."""

_base_ = '../../baselines/ef_echomen.py'

from echocardmae_mm.recipes import demo_peer_ejection_fraction, demo_r2plus1d

globals().update(
    demo_peer_ejection_fraction(
        num_frames=8,
        frame_interval=8,
        batch_size=20,
        shift=0,
        model=dict(
            backbone=demo_r2plus1d(),
            # Bounds of the counts, in proportion to the number of recordings.
            cls_head=dict(in_channels=128, counts=(3.0, 40.0)),
        ),
    )
)

load_from = 'work_dirs/phantom/peers/ef_echomen_stage1/best_ef_mae_epoch_*.pth'

train_cfg = dict(max_epochs=6, val_interval=2)
optim_wrapper = dict(optimizer=dict(lr=1e-4), clip_grad=dict(max_norm=300.0))
param_scheduler = [dict(type='StepLR', step_size=2, gamma=0.3)]
