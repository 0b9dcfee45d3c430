"""Transforms on MMAction2's results dict; they mix with stock transforms."""

from echocardmae_mm.datasets.transforms.denoised_target import DenoisedTarget
from echocardmae_mm.datasets.transforms.sector_mask import SectorMask

__all__ = ['DenoisedTarget', 'SectorMask']
