"""CoReEcho's encoder on HMC-QU in our protocol (Table 4); see mi_uniformer.py.

Starts from the network that configs/baselines/ef_uniformer_rnc.py trained on EchoNet-Dynamic.
"""

_base_ = 'mi_uniformer.py'

model = dict(
    backbone=dict(
        init_cfg=dict(checkpoint='work_dirs/baselines/ef_uniformer_rnc/best_ef_mae_epoch_*.pth')
    )
)
