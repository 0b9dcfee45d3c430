"""EchoCardMAE for OpenMMLab: masked pretraining on echocardiograms, and fine-tuning.

Components are registered under the scope ``echocardmae_mm`` and stand in ordinary MMAction2 and
MMSegmentation configs as ``type='echocardmae_mm.X'``. Importing the package applies the patches of
:mod:`echocardmae_mm.compat` and imports nothing heavy.
"""

from echocardmae_mm.compat import PATCHES, apply_patches

__version__ = '0.2.0'

apply_patches(PATCHES)
