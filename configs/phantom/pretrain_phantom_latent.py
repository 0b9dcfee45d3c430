"""Pretraining on the latents of a frozen teacher, the encoder of the demo.

A step beyond the paper: see LatentTarget. There are no frames to reconstruct, so nothing is
validated.
"""

_base_ = 'pretrain_phantom.py'

model = dict(
    latent_target=dict(
        type='echocardmae_mm.LatentTarget',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/phantom/pretrain_phantom/epoch_24.pth',
            prefix='backbone.',
        ),
    )
)

val_dataloader = val_cfg = val_evaluator = None
test_dataloader = test_cfg = test_evaluator = None
