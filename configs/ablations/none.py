"""Table 5, row 1 (MAE 3.8894): none of the three ideas.

Random masking of 75 % of the whole frame, an unblurred target, no alignment loss. VideoMAE itself
masks tubes at a ratio of 0.9.
"""

_base_ = '../pretrain_echo.py'

model = dict(
    alignment_head=None,
    data_preprocessor=dict(denoise=dict(method='none'), mask=dict(sector='none')),
)
