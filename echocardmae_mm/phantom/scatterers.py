"""The material grid of the relaxed heart and the scatterers that move with the tissue."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from echocardmae_mm.phantom.anatomy import ROWS

#: A float32 image; OpenCV's stubs know no narrower type.
Image = NDArray[Any]

#: Spacing of the material grid in mm, and positions of its columns.
STEP = 0.6
COLUMNS = np.arange(-112.0, 112.0, STEP)
LINES = np.arange(ROWS[0], ROWS[-1], STEP)

#: Correlation of the scatterers: sd of their blur in grid points.
GRAIN = 0.55


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], sd: float) -> Image:
    """Draw white noise blurred by a Gaussian of ``sd`` pixels, with unit variance.

    If the blur is wide, the noise is drawn on a coarser grid, which is faster and looks the same.
    """
    coarse = max(1, int(sd / 1.5))
    small = (shape[0] // coarse + 2, shape[1] // coarse + 2)
    noise = rng.standard_normal(small, dtype=np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), sd / coarse)
    noise = cv2.resize(noise, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return noise / noise.std()


def scatterers(rng: np.random.Generator) -> tuple[Image, Image]:
    """Draw real and imaginary part of Gaussian scatterers of unit variance on the material grid."""
    shape = (len(LINES), len(COLUMNS))
    parts = rng.standard_normal((2, *shape), dtype=np.float32)
    real, imaginary = (cv2.GaussianBlur(part, (0, 0), GRAIN) for part in parts)
    scale = np.float32(1.0 / real.std())
    return real * scale, imaginary * scale
