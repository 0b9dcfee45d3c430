"""Section 2.2: blockwise masking, contiguous blocks of patches. The paper gives no result."""

_base_ = '../pretrain_echo.py'

model = dict(data_preprocessor=dict(mask=dict(strategy='block')))
