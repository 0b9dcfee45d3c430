"""Table 5, third row: without the alignment loss."""

_base_ = '../pretrain_echo.py'

model = dict(alignment_head=None)
