"""Masks 90 % of the sector, as VideoMAE does with the whole frame; the paper masks 75 %."""

_base_ = '../pretrain_echo.py'

model = dict(data_preprocessor=dict(mask=dict(mask_ratio=0.9)))
