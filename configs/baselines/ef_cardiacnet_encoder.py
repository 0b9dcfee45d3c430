"""Ejection fraction with CardiacNet's encoder and classifier alone, 16 frames, every 4th.

This is not CardiacNet (Table 1: MAE 3.83): neither its autoencoders nor its codebook are trained.
No code for its ejection fraction is public, and the released training does not run. The layers and
the grey levels in [-1, 1] follow xmed-lab/CardiacNet; frames, optimizer and loss are this package's
(docs/baselines.md). Trains from scratch: CardiacNet has published no weights.
"""

_base_ = 'ef_r2plus1d.py'

from echocardmae_mm.recipes import ejection_fraction

globals().update(
    ejection_fraction(
        model=dict(
            data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3),
            backbone=dict(_delete_=True, type='echocardmae_mm.CardiacNetEncoder'),
        )
    )
)

optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=1e-4, weight_decay=1e-4))
auto_scale_lr = dict(base_batch_size=16)
