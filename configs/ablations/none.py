"""Table 5, row 1 (MAE 3.8894): none of the three, plain VideoMAE under the paper's masking.

The whole frame is masked, at random and 0.75 as in the other rows; VideoMAE itself masks tubes at
0.9. The target is the frame as it is, and no loss compares the two clips.
"""

_base_ = '../pretrain_echo.py'

model = dict(
    alignment_head=None,
    data_preprocessor=dict(denoise=dict(method='none'), mask=dict(sector='none')),
)
