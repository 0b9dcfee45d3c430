"""Twice the epochs: as many updates as the frozen encoder of latent targets and its student."""

_base_ = '../pretrain_echo.py'

train_cfg = dict(max_epochs=3200)
