"""EchoNet's segmentation on phantoms: ResNet-18, frames of 56 x 56 pixels."""

_base_ = '../../baselines/seg_deeplabv3.py'

from echocardmae_mm.recipes import frame_preprocessor, segmentation

globals().update(
    segmentation(
        dataset=dict(
            type='echocardmae_mm.EchoNetSegDataset', data_root='data/phantom/EchoNet-Dynamic'
        ),
        img_size=56,
        batch_size=40,
        num_workers=2,
        shift=6,
        model=dict(
            data_preprocessor=frame_preprocessor(56),
            backbone=dict(depth=18),
            decode_head=dict(in_channels=512),
        ),
    )
)

train_cfg = dict(max_epochs=20, val_interval=5)
optim_wrapper = dict(optimizer=dict(lr=0.5))
