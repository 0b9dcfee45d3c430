"""EchoCoTr's encoder on CAMUS phantoms, in the protocol of ../ef_phantom_camus.py."""

_base_ = '../ef_phantom_camus.py'

from echocardmae_mm.recipes import uniformer_small

model = dict(
    backbone=dict(
        uniformer_small('work_dirs/phantom/peers/ef_uniformer/epoch_40.pth'),
        depth=[1, 1, 1, 1],
        embed_dim=[32, 64, 128, 256],
        head_dim=32,
        img_size=56,
    ),
    cls_head=dict(in_channels=256),
)
