"""Convert between beams of a sector and pixels of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FieldOfView:
    """A sector-shaped field of view in a picture.

    Probe coordinates are in mm. Their origin is the common origin of the beams; z points along the
    middle beam, x to the right.

    Args:
        size (tuple[int]): Height and width of the picture.
        origin (tuple[float]): x and y of the beams' common origin in pixels.
        spacing (tuple[float]): Height and width of a pixel in mm.
        half_angle (float): Half of the opening angle in radians.
        tilt (float): Angle between the middle beam and straight down, in radians.
        near (float): Radius at which the beams start, in mm.
        depth (float): Radius at which they end, in mm.
        masked (bool): Whether EchoNet-Dynamic's template mask is applied as well.
    """

    size: tuple[int, int]
    origin: tuple[float, float]
    spacing: tuple[float, float]
    half_angle: float
    tilt: float
    near: float
    depth: float
    masked: bool = False

    def to_pixels(self, points: Array) -> Array:
        """Convert (..., 2) points in probe mm to pixels (x, y); pixel centres are integers."""
        x, z = points[..., 0], points[..., 1]
        cos, sin = np.cos(self.tilt), np.sin(self.tilt)
        right, down = x * cos - z * sin, x * sin + z * cos
        return np.stack(
            [self.origin[0] + right / self.spacing[1], self.origin[1] + down / self.spacing[0]], -1
        )

    def to_probe(self, pixels: Array) -> Array:
        """Convert (..., 2) pixels (x, y) to probe mm."""
        right = (pixels[..., 0] - self.origin[0]) * self.spacing[1]
        down = (pixels[..., 1] - self.origin[1]) * self.spacing[0]
        cos, sin = np.cos(self.tilt), np.sin(self.tilt)
        return np.stack([right * cos + down * sin, -right * sin + down * cos], -1)

    @cached_property
    def polar_grid(self) -> tuple[Array, Array]:
        """Radius in mm and angle in radians of every pixel, each (H, W)."""
        height, width = self.size
        y, x = np.mgrid[:height, :width].astype(np.float64)
        return to_polar(self.to_probe(np.stack([x, y], -1)))

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """Mask of the sector in the picture, (H, W) bool."""
        radius, angle = self.polar_grid
        inside = (radius >= self.near) & (radius <= self.depth) & (np.abs(angle) <= self.half_angle)
        if self.masked:
            y, x = np.mgrid[: self.size[0], : self.size[1]] * 112.0 / self.size[0]
            inside &= (x + y > 67) & (x - y < 67)
        return inside


@dataclass(frozen=True)
class Pose:
    """Position and orientation of the heart under the probe.

    Args:
        lean (float): Angle between the long axis and the middle beam in radians; if positive, the
            base is on the right.
        apex (tuple[float]): Probe coordinates of the relaxed cavity's apex in mm.
    """

    lean: float
    apex: tuple[float, float]

    def to_probe(self, points: Array) -> Array:
        """Convert (..., 2) points in heart mm to probe mm."""
        x, y = points[..., 0], points[..., 1]
        cos, sin = np.cos(self.lean), np.sin(self.lean)
        return np.stack([self.apex[0] + x * cos + y * sin, self.apex[1] - x * sin + y * cos], -1)

    def to_heart(self, points: Array) -> Array:
        """Convert (..., 2) points in probe mm to heart mm."""
        x, y = points[..., 0] - self.apex[0], points[..., 1] - self.apex[1]
        cos, sin = np.cos(self.lean), np.sin(self.lean)
        return np.stack([x * cos - y * sin, x * sin + y * cos], -1)


def drift(points: Array, along: Array | float, across: Array | float) -> Array:
    """Move (..., 2) probe points ``along`` mm down their beams; rotate them by ``across``."""
    radius, angle = to_polar(points)
    return from_polar(radius + along, angle + across)


def to_polar(points: Array) -> tuple[Array, Array]:
    """Radius and angle from the middle beam of (..., 2) probe points."""
    x, z = points[..., 0], points[..., 1]
    return np.hypot(x, z), np.arctan2(x, z)


def from_polar(radius: Array, angle: Array) -> Array:
    """Probe points, (..., 2), at a radius and an angle from the middle beam."""
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], -1)
