"""Ejection fraction with EchoCoTr's network: UniFormer-S, 36 frames, every 4th (Table 1: MAE 3.95).

Network, frames, batch, optimizer and loss follow BioMedIA-MBZUAI/EchoCoTr; test clips and
checkpoint selection are this package's (docs/baselines.md). Trains from scratch. EchoCoTr starts
from Kinetics-400 (uniformer_small_k400_16x8.pth of Sense-X/uniformer_video), loaded with

--cfg-options model.backbone.init_cfg.type=Pretrained model.backbone.init_cfg.checkpoint=FILE
"""

_base_ = 'ef_r2plus1d.py'

from echocardmae_mm.recipes import ejection_fraction, uniformer_small

globals().update(
    ejection_fraction(num_frames=36, batch_size=25, model=dict(backbone=uniformer_small()))
)

optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=1e-4, weight_decay=1e-4))
auto_scale_lr = dict(base_batch_size=25)
