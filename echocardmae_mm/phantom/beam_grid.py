"""Sample a sector along beams."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from echocardmae_mm.phantom.field_of_view import FieldOfView, from_polar, to_polar

Array = NDArray[np.float64]


class BeamGrid:
    """A grid over a field of view, of beams (rows) and samples along them (columns)."""

    def __init__(self, view: FieldOfView, beams: int, samples: int) -> None:
        self.view, self.shape = view, (beams, samples)
        self.angle_step = 2.0 * view.half_angle / (beams - 1)
        self.radius_step = (view.depth - view.near) / (samples - 1)
        self.angles = np.linspace(-view.half_angle, view.half_angle, beams)
        self.radii = np.linspace(view.near, view.depth, samples)

    def points(self, margin: int = 0, step: int = 1) -> Array:
        """Probe coordinates in mm, (beams, samples, 2), of every ``step``-th point and a margin."""
        beams = np.arange(-margin, self.shape[0] + margin + step - 1, step)
        reach = np.arange(-margin, self.shape[1] + margin + step - 1, step)
        beams = beams * self.angle_step + self.angles[0]
        reach = reach * self.radius_step + self.radii[0]
        return from_polar(np.maximum(reach, 0.0)[None], beams[:, None])

    def indices(self, points: Array) -> Array:
        """Grid coordinates (sample, beam) of (..., 2) probe points in mm."""
        return self._place(*to_polar(points))

    @cached_property
    def scan_maps(self) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
        """Fixed-point maps for :func:`cv2.remap`, from the grid to the picture."""
        places = self._place(*self.view.polar_grid).astype(np.float32)  # (H, W, 2)
        return cv2.convertMaps(places, None, cv2.CV_16SC2)

    def _place(self, radius: Array, angle: Array) -> Array:
        sample = (radius - self.radii[0]) / self.radius_step
        beam = (angle - self.angles[0]) / self.angle_step
        return np.stack([sample, beam], -1)
