"""Sample a sector along beams."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from echocardmae_mm.phantom.field_of_view import FieldOfView

Array = NDArray[np.float64]


class BeamGrid:
    """A grid over a field of view, of beams (rows) and samples along them (columns).

    Args:
        view (FieldOfView): The field of view.
        beams (int): Number of beams.
        samples (int): Number of samples along a beam.
    """

    def __init__(self, view: FieldOfView, beams: int, samples: int) -> None:
        self.view, self.shape = view, (beams, samples)
        self.angle_step = 2.0 * view.half_angle / (beams - 1)
        self.radius_step = (view.depth - view.near) / (samples - 1)
        self.angles = np.linspace(-view.half_angle, view.half_angle, beams)
        self.radii = np.linspace(view.near, view.depth, samples)

    def points(self, margin: int = 0, step: int = 1) -> Array:
        """Probe coordinates in mm of every ``step``-th point of the grid, extended by a margin.

        Returns:
            np.ndarray: (beams, samples, 2) float64.
        """
        beams = np.arange(-margin, self.shape[0] + margin + step - 1, step)
        reach = np.arange(-margin, self.shape[1] + margin + step - 1, step)
        beams = beams * self.angle_step + self.angles[0]
        reach = reach * self.radius_step + self.radii[0]
        angle, radius = beams[:, None], np.maximum(reach, 0.0)[None]
        return np.stack([radius * np.sin(angle), radius * np.cos(angle)], -1)

    def indices(self, points: Array) -> Array:
        """Grid coordinates (sample, beam) of (..., 2) probe points in mm."""
        radius = np.hypot(points[..., 0], points[..., 1])
        angle = np.arctan2(points[..., 0], points[..., 1])
        return np.stack(
            [
                (radius - self.radii[0]) / self.radius_step,
                (angle - self.angles[0]) / self.angle_step,
            ],
            -1,
        )

    @cached_property
    def scan_maps(self) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
        """Fixed-point maps for :func:`cv2.remap`, from the grid to the picture."""
        radius, angle = self.view.polar_grid
        sample = ((radius - self.radii[0]) / self.radius_step).astype(np.float32)
        beam = ((angle - self.angles[0]) / self.angle_step).astype(np.float32)
        return cv2.convertMaps(sample, beam, cv2.CV_16SC2)
