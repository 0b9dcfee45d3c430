"""CoReEcho's encoder on CAMUS phantoms; see ef_camus_uniformer.py."""

_base_ = 'ef_camus_uniformer.py'

model = dict(
    backbone=dict(
        init_cfg=dict(checkpoint='work_dirs/phantom/peers/ef_uniformer_rnc/best_ef_mae_epoch_*.pth')
    )
)
