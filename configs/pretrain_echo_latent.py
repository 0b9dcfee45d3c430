"""Pretraining on the latents of a frozen teacher, the encoder of configs/pretrain_echo.py."""

_base_ = 'pretrain_echo.py'

from echocardmae_mm.recipes import latent_targets

globals().update(latent_targets())
