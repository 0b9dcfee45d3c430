"""Ejection fraction as CoReEcho trains it: Rank-N-Contrast, UniFormer-S (Table 1: MAE 3.90).

Each recording gives two clips. The contrastive loss alone trains the network; an L1 loss trains a
linear layer on its features. This is stage 1 of BioMedIA-MBZUAI/CoReEcho, whose head also has a
hidden layer. Initialise as described in configs/baselines/ef_uniformer.py.
"""

_base_ = 'ef_uniformer.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(ejection_fraction(num_frames=36, num_clips=2, batch_size=16))

model = dict(
    cls_head=dict(
        loss='l1',
        contrast=dict(type='echocardmae_mm.RankNContrastLoss', temperature=1.0),
        stop_gradient=True,
    )
)

train_cfg = dict(max_epochs=25)
