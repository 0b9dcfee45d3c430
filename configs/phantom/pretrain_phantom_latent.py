"""Pretraining on the latents of a frozen teacher, the demo's encoder."""

_base_ = 'pretrain_phantom.py'

from echocardmae_mm.recipes import latent_targets

globals().update(latent_targets('work_dirs/phantom/pretrain_phantom/epoch_24.pth'))
