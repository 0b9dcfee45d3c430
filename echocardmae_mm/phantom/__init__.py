"""Synthetic apical four-chamber echocardiograms with ground truth."""

from echocardmae_mm.phantom.recording import Phantom, make_phantom
from echocardmae_mm.phantom.screen import SCREENS
from echocardmae_mm.phantom.variants import VARIANTS

__all__ = ['SCREENS', 'VARIANTS', 'Phantom', 'make_phantom']
