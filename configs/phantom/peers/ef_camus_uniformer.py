"""EchoCoTr's encoder on CAMUS phantoms, in the protocol of ../ef_phantom_camus.py."""

_base_ = '../ef_phantom_camus.py'

from echocardmae_mm.recipes import demo_uniformer

model = dict(
    backbone=demo_uniformer('work_dirs/phantom/peers/ef_uniformer/best_ef_mae_epoch_*.pth'),
    cls_head=dict(in_channels=256),
)
