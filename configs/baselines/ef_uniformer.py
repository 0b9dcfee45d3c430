"""Ejection fraction by EchoCoTr's network: UniFormer-S, 36 frames every 4th (Table 1: MAE 3.95).

Frames, optimizer and loss are those of BioMedIA-MBZUAI/EchoCoTr; the head, the five test clips and
the choice of the checkpoint are ours: docs/baselines.md. It starts from scratch; EchoCoTr starts
from Kinetics-400, for which MMAction2 has a checkpoint of this backbone:

--cfg-options model.backbone.init_cfg.type=Pretrained model.backbone.init_cfg.prefix=backbone. \\
    model.backbone.init_cfg.checkpoint=FILE
"""

_base_ = 'ef_r2plus1d.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmaction.UniFormer',
        depth=[3, 4, 8, 3],
        img_size=112,
        drop_path_rate=0.1,
        pretrained2d=False,
    )
)

train_pipeline = _base_.train_pipeline
train_pipeline[1].update(clip_len=36, frame_interval=4)  # SampleRandomClips
test_pipeline = _base_.test_pipeline
test_pipeline[1].update(clip_len=36, frame_interval=4)  # SampleUniformClips
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))

optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=1e-4, weight_decay=1e-4))
auto_scale_lr = dict(base_batch_size=16)
