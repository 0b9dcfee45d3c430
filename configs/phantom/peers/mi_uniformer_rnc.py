"""CoReEcho's encoder on HMC-QU phantoms; see mi_uniformer.py."""

_base_ = 'mi_uniformer.py'

model = dict(
    backbone=dict(
        init_cfg=dict(checkpoint='work_dirs/phantom/peers/ef_uniformer_rnc/best_ef_mae_epoch_*.pth')
    )
)
