"""Check whether a sector is upright, with its apex on top."""

from __future__ import annotations

import cv2
import numpy as np

from echocardmae_mm.sector.detection import initial_sector
from echocardmae_mm.sector.fit import fit_sector

_SIZE = 112


def upright_overlap(sector: np.ndarray) -> float:
    """Compute how well an upright sector, which the frame may cut off, fits a mask.

    A mirrored sector is upright as well, so a mask cannot tell left from right.

    Args:
        sector (np.ndarray): bool of shape (H, W).

    Returns:
        float: Intersection over union of the mask and the best sector with round or flat ends; 0
        for an empty mask.

    Example:
        >>> import numpy as np
        >>> y, x = np.mgrid[:200, -100:100]
        >>> sector = (np.abs(x) < 0.8 * y) & (np.hypot(x, y) < 150)
        >>> upright_overlap(sector) > 0.98
        True
        >>> upright_overlap(sector.T) < 0.93
        True
    """
    if not sector.any():
        return 0.0
    small = cv2.resize(sector.astype(np.float32), (_SIZE, _SIZE), interpolation=cv2.INTER_AREA)
    mask = small >= 0.5
    evidence = np.where(mask, np.float32(1), np.float32(-1))
    overlaps = []
    for flat in (False, True):
        inside = fit_sector(evidence, initial_sector(mask, flat)).margin(_SIZE, _SIZE) > 0
        overlaps.append((inside & mask).sum() / (inside | mask).sum())
    return float(max(overlaps))
