"""Table 5, row 3 (MAE 3.7991): key area masking and denoising, without the alignment loss."""

_base_ = '../pretrain_echo.py'

model = dict(alignment_head=None)
