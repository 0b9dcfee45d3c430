"""Patches for faults in other packages.

Each patch references a public issue and applies only if the installed package has the fault. The
check does not import the package; the patch is applied when its module is imported.
"""

from echocardmae_mm.compat.bfloat16_scores import BFLOAT16_SCORES
from echocardmae_mm.compat.missing_drn import MISSING_DRN
from echocardmae_mm.compat.missing_operators import MISSING_OPERATORS
from echocardmae_mm.compat.missing_pkg_resources import MISSING_PKG_RESOURCES
from echocardmae_mm.compat.package_configs import PACKAGE_CONFIGS
from echocardmae_mm.compat.patch import Patch, apply_patches
from echocardmae_mm.compat.repeated_formatting import REPEATED_FORMATTING
from echocardmae_mm.compat.unsafe_checkpoints import UNSAFE_CHECKPOINTS, RefusedCheckpoint
from echocardmae_mm.compat.unsent_batches import UNSENT_BATCHES

PATCHES = (
    MISSING_DRN,
    MISSING_OPERATORS,
    UNSAFE_CHECKPOINTS,
    MISSING_PKG_RESOURCES,
    PACKAGE_CONFIGS,
    UNSENT_BATCHES,
    BFLOAT16_SCORES,
    REPEATED_FORMATTING,
)

__all__ = ['PATCHES', 'Patch', 'RefusedCheckpoint', 'apply_patches']
