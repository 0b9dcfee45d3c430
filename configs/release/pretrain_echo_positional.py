"""The released code's later commit: the background token at every background position, batch 32."""

_base_ = 'pretrain_echo.py'

model = dict(neck=dict(background='positional'))
train_dataloader = dict(batch_size=32)
auto_scale_lr = dict(base_batch_size=32)
