"""Table 5, row 2 (MAE 3.8205): key area masking alone."""

_base_ = '../pretrain_echo.py'

model = dict(alignment_head=None, data_preprocessor=dict(denoise=dict(method='none')))
