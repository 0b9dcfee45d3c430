"""EchoCoTr's encoder on HMC-QU phantoms, in the protocol of ../mi_phantom.py."""

_base_ = '../mi_phantom.py'

from echocardmae_mm.recipes import uniformer_small

model = dict(
    backbone=dict(
        uniformer_small('work_dirs/phantom/peers/ef_uniformer/epoch_40.pth'),
        depth=[1, 1, 1, 1],
        img_size=56,
    ),
    cls_head=dict(type='mmaction.I3DHead', in_channels=512, spatial_type='avg', dropout_ratio=0.0),
)
