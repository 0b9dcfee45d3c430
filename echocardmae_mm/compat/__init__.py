"""Repairs of other packages: the only place that knows their faults.

Each repair carries the public issue it answers, and acts only where the installed package shows the
fault. Nothing is imported to find that out: a repair waits until its module is imported.
"""

from echocardmae_mm.compat.missing_drn import MISSING_DRN
from echocardmae_mm.compat.missing_operators import MISSING_OPERATORS
from echocardmae_mm.compat.missing_pkg_resources import MISSING_PKG_RESOURCES
from echocardmae_mm.compat.patch import Patch, apply_patches
from echocardmae_mm.compat.unsafe_checkpoints import UNSAFE_CHECKPOINTS, RefusedCheckpoint

PATCHES = (MISSING_DRN, MISSING_OPERATORS, UNSAFE_CHECKPOINTS, MISSING_PKG_RESOURCES)

__all__ = ['PATCHES', 'RefusedCheckpoint', 'Patch', 'apply_patches']
