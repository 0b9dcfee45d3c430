"""Table 6, row 2 (MAE 3.7839): a Gaussian blurs the target."""

_base_ = '../pretrain_echo.py'

model = dict(data_preprocessor=dict(denoise=dict(method='gaussian')))
