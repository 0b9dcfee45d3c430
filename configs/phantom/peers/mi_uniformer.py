"""EchoCoTr's encoder on HMC-QU phantoms, in the protocol of ../mi_phantom.py."""

_base_ = '../mi_phantom.py'

from echocardmae_mm.recipes import demo_uniformer

model = dict(
    backbone=demo_uniformer('work_dirs/phantom/peers/ef_uniformer/best_ef_mae_epoch_*.pth'),
    cls_head=dict(type='mmaction.I3DHead', in_channels=256, spatial_type='avg', dropout_ratio=0.0),
)

train_cfg = dict(max_epochs=60)
