"""Masks 50 % of the sector; the paper masks 75 %."""

_base_ = '../pretrain_echo.py'

model = dict(data_preprocessor=dict(mask=dict(mask_ratio=0.5)))
