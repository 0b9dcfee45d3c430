"""Synthetic apical four-chamber echocardiograms with known truth."""

from .recording import Phantom, make_phantom
from .screen import SCREENS
from .variants import VARIANTS

__all__ = ['SCREENS', 'VARIANTS', 'Phantom', 'make_phantom']
