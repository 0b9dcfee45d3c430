"""configs/pretrain_echo.py with patches of 8 pixels and one background token, for benchmarks."""

_base_ = '../pretrain_echo.py'

model = dict(patch_size=8, neck=dict(background='single'))
