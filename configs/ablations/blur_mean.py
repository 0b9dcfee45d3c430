"""Table 6, row 1 (MAE 3.8062): the mean of 3 x 3 pixels blurs the target."""

_base_ = '../pretrain_echo.py'

model = dict(data_preprocessor=dict(denoise=dict(method='mean')))
