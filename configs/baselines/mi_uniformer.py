"""EchoCoTr's encoder on HMC-QU in our protocol (Table 4): the folds of configs/mi_hmcqu.py.

echocardmae cross-validate configs/baselines/mi_uniformer.py

Starts from the network that configs/baselines/ef_uniformer.py trained on EchoNet-Dynamic. EchoCoTr
has no code for HMC-QU.
"""

_base_ = '../mi_hmcqu.py'

from echocardmae_mm.recipes import uniformer_small

model = dict(
    backbone=uniformer_small('work_dirs/baselines/ef_uniformer/best_ef_mae_epoch_*.pth'),
    cls_head=dict(type='mmaction.I3DHead', in_channels=512, spatial_type='avg', dropout_ratio=0.0),
)
