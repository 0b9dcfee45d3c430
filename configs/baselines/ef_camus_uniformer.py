"""EchoCoTr's encoder on CAMUS in our protocol (Table 2), that of configs/ef_camus.py.

echocardmae cross-validate configs/baselines/ef_camus_uniformer.py

Starts from the network that configs/baselines/ef_uniformer.py trained on EchoNet-Dynamic. EchoCoTr
has no code for CAMUS; its row in the paper is presumably CoReEcho's study of transfer.
"""

_base_ = '../ef_camus.py'

from echocardmae_mm.recipes import uniformer_small

model = dict(
    backbone=uniformer_small('work_dirs/baselines/ef_uniformer/best_ef_mae_epoch_*.pth'),
    cls_head=dict(in_channels=512),
)
