"""Ejection fraction as CoReEcho trains it: Rank-N-Contrast, UniFormer-S (Table 1: MAE 3.90).

Each recording gives two clips, each with a shift of its own and a black border. The contrastive
loss alone trains the network; an L1 loss trains the head on its features. This is stage 1 of
BioMedIA-MBZUAI/CoReEcho; configs/baselines/ef_uniformer_rnc_stage2.py is stage 2. Initialise as
described in configs/baselines/ef_uniformer.py.
"""

_base_ = 'ef_uniformer.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(
    ejection_fraction(
        num_frames=36,
        num_clips=2,
        batch_size=16,
        shift=6,
        fill=0,
        model=dict(
            cls_head=dict(
                type='echocardmae_mm.CoReEchoHead',
                dropout=0.4,
                loss='l1',
                contrast=dict(type='echocardmae_mm.RankNContrastLoss', temperature=1.0),
                stop_gradient=True,
            )
        ),
    )
)

train_cfg = dict(max_epochs=26)
auto_scale_lr = dict(base_batch_size=16)
