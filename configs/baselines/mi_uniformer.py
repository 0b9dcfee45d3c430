"""EchoCoTr's encoder on HMC-QU in our protocol (Table 4): the folds of configs/mi_hmcqu.py.

echocardmae cross-validate configs/baselines/mi_uniformer.py

Starts from the network that configs/baselines/ef_uniformer.py trained on EchoNet-Dynamic. EchoCoTr
has no code for HMC-QU.
"""

_base_ = '../mi_hmcqu.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmaction.UniFormer',
        depth=[3, 4, 8, 3],
        img_size=112,
        drop_rate=0.1,
        drop_path_rate=0.0,
        pretrained2d=False,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/baselines/ef_uniformer/epoch_45.pth',
            prefix='backbone.',
        ),
    ),
    cls_head=dict(type='mmaction.I3DHead', in_channels=512, spatial_type='avg', dropout_ratio=0.0),
)
