"""Plain VideoMAE: tubes over the whole frame at a ratio of 0.9, sharp targets, no alignment.

The paper compares with random masking instead (configs/ablations/none.py).
"""

_base_ = '../ablations/none.py'

model = dict(data_preprocessor=dict(mask=dict(strategy='tube', mask_ratio=0.9)))
