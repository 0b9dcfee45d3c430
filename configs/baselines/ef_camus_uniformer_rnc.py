"""CoReEcho's encoder on CAMUS in our protocol (Table 2); see ef_camus_uniformer.py.

Starts from the network that configs/baselines/ef_uniformer_rnc.py trained on EchoNet-Dynamic.
"""

_base_ = 'ef_camus_uniformer.py'

model = dict(
    backbone=dict(
        init_cfg=dict(checkpoint='work_dirs/baselines/ef_uniformer_rnc/best_ef_mae_epoch_*.pth')
    )
)
