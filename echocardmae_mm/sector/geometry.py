"""Geometry of the ultrasound sector: a mask of pixels, and from it a mask of tokens.

Masks have these meanings in the whole package; tokens are in the order t, h, w:

* ``sector[i]``: token i lies in the sector.
* ``masked[i]``: token i is hidden from the encoder and must be reconstructed; it always lies in
  the sector.
* ``sector & ~masked``: visible tokens. ``~sector``: background tokens.
"""

from __future__ import annotations

import numpy as np

from echocardmae_mm.utils.errors import UserError

TEMPLATE_SIZE = 112
TEMPLATE_APEX = 67


def template_sector(height: int, width: int) -> np.ndarray:
    """Sector that every EchoNet-Dynamic video was cut to.

    EchoNet's own conversion from DICOM keeps ``x + y > 67 and x - y < 67`` at 112 x 112 pixels: a
    right angle that opens downwards from (67, 0), clipped by the frame. For other sizes, each axis
    is scaled like a resized video.

    Returns:
        np.ndarray: bool of shape (height, width), true in the sector.
    """
    y = (np.arange(height)[:, None] + 0.5) * TEMPLATE_SIZE / height - 0.5
    x = (np.arange(width)[None, :] + 0.5) * TEMPLATE_SIZE / width - 0.5
    return (x + y > TEMPLATE_APEX) & (x - y < TEMPLATE_APEX)


def token_sector(mask: np.ndarray, patch_size: int) -> np.ndarray:
    """Find the patches that contain at least one pixel of the sector.

    Args:
        mask (np.ndarray): Pixel masks, bool of shape (..., H, W).
        patch_size (int): Height and width of a patch in pixels.

    Returns:
        np.ndarray: bool of shape (..., H / patch_size, W / patch_size).

    Raises:
        UserError: If the patch size does not divide H and W.
    """
    height, width = mask.shape[-2:]
    if height % patch_size or width % patch_size:
        raise UserError(
            f'a frame of {height} x {width} pixels cannot be divided into patches of {patch_size}; '
            'resize the frames to a multiple of the patch size'
        )
    rows, columns = height // patch_size, width // patch_size
    patches = mask.reshape(*mask.shape[:-2], rows, patch_size, columns, patch_size)
    return np.any(patches, axis=(-3, -1))
