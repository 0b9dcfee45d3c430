"""Half of the sector is masked; the paper has 0.75."""

_base_ = '../pretrain_echo.py'

model = dict(data_preprocessor=dict(mask=dict(mask_ratio=0.5)))
