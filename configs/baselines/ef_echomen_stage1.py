"""Stage 1 of EchoMEN (Table 1: MAE 3.93): R(2+1)D-18 with a contrast of label distances.

Each recording gives one clip with two shifts. Frames, optimizer and losses follow
laisong-22004009/EchoMEN; see configs/baselines/ef_echomen.py and docs/baselines.md. Initialise as
described in configs/baselines/ef_r2plus1d.py.
"""

_base_ = 'ef_r2plus1d.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(
    ejection_fraction(
        num_frames=32,
        frame_interval=2,
        num_clips=2,
        same_start=True,
        batch_size=20,
        model=dict(
            cls_head=dict(
                contrast=dict(
                    type='echocardmae_mm.LabelDistanceContrastLoss',
                    in_channels=512,
                    scale=150.0,
                    margin=2.0,
                    loss_weight=0.75,
                )
            )
        ),
    )
)
