"""configs/pretrain_echo.py with tokens of 8 x 8 pixels, as small as the released code's."""

_base_ = '../pretrain_echo.py'

model = dict(patch_size=8, neck=dict(background='single'))
