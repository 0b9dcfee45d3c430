"""Section 2.2: tube masking, the same tokens in all time slots. The paper gives no result."""

_base_ = '../pretrain_echo.py'

model = dict(data_preprocessor=dict(mask=dict(strategy='tube')))
