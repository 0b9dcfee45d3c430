"""Ejection fraction as CoReEcho trains it: Rank-N-Contrast, UniFormer-S (Table 1: MAE 3.90).

Two clips of each recording; the contrast alone trains the network, an L1 loss on its features the
linear layer (stage 1 of BioMedIA-MBZUAI/CoReEcho; its head has a hidden layer). Initialisation as
configs/baselines/ef_uniformer.py.
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
