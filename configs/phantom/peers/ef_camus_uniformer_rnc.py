"""CoReEcho's encoder on CAMUS phantoms; see ef_camus_uniformer.py."""

_base_ = 'ef_camus_uniformer.py'

model = dict(
    backbone=dict(init_cfg=dict(checkpoint='work_dirs/phantom/peers/ef_uniformer_rnc/epoch_26.pth'))
)
