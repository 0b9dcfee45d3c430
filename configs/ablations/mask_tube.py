"""Section 2.2: tube masking, one draw for all time slots. The paper prints no figure."""

_base_ = '../pretrain_echo.py'

model = dict(data_preprocessor=dict(mask=dict(strategy='tube')))
