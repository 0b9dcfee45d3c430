"""A beating heart under a drifting probe: the position of every structure in each frame."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from echocardmae_mm.phantom.anatomy import Array, Heart
from echocardmae_mm.phantom.contours import epicardium, left_atrium, left_ventricle, tracing
from echocardmae_mm.phantom.deformation import from_rest, to_rest
from echocardmae_mm.phantom.field_of_view import FieldOfView, Pose, drift
from echocardmae_mm.phantom.probe_placement import rasterise
from echocardmae_mm.phantom.valves import leaflets

#: Number of contractions at which curves are tabulated; they are interpolated in between.
_LEVELS = 10


class BeatingHeart:
    """The motion of one recording, from which all ground truth is derived.

    Args:
        heart (Heart): The heart.
        pose (Pose): Position and orientation of the heart under the probe.
        view (FieldOfView): The probe's sector in the picture.
        contraction (np.ndarray): Contraction of the heart in each frame.
        along (np.ndarray): Drift along the beams in mm in each frame.
        across (np.ndarray): Drift about the probe in radians in each frame.
    """

    def __init__(
        self,
        heart: Heart,
        pose: Pose,
        view: FieldOfView,
        contraction: Array,
        along: Array,
        across: Array,
    ) -> None:
        self.heart, self.pose, self.view = heart, pose, view
        self.contraction, self.along, self.across = contraction, along, across

    def __len__(self) -> int:
        return len(self.contraction)

    @cached_property
    def volumes(self) -> Array:
        """True volume of the left ventricle in each frame, in mL."""
        return self.heart.volume(self.contraction)

    def to_probe(self, points: Array, frames: int | slice = slice(None)) -> Array:
        """Convert heart coordinates in mm to probe coordinates.

        Args:
            points (np.ndarray): (..., 2) of one frame, or (T, ..., 2) of all frames.
            frames (int | slice): The frame that the points belong to. Defaults to all.
        """
        per_frame = (-1, *[1] * (points.ndim - 2))
        along, across = (np.reshape(x[frames], per_frame) for x in (self.along, self.across))
        return drift(self.pose.to_probe(points), along, across)

    def to_pixels(self, points: Array, frames: int | slice = slice(None)) -> Array:
        """Convert heart coordinates in mm to pixels (x, y); see :meth:`to_probe`."""
        return self.view.to_pixels(self.to_probe(points, frames))

    def tabulate(self, curve: Callable[[float], Array]) -> Array:
        """Evaluate a curve, a function of the contraction, for every frame by interpolation."""
        levels = np.linspace(self.contraction.min(), self.contraction.max() + 1e-6, _LEVELS)
        table = np.stack([curve(float(level)) for level in levels])
        place = (self.contraction - levels[0]) / (levels[1] - levels[0])
        low = np.clip(place.astype(int), 0, _LEVELS - 2)
        weight = (place - low).reshape(-1, *[1] * (table.ndim - 1))
        return table[low] * (1.0 - weight) + table[low + 1] * weight

    def labels(self) -> NDArray[np.uint8]:
        """Labels, (T, H, W): 0 background, 1 left ventricle, 2 its wall, 3 left atrium."""
        curves = (epicardium, left_atrium, left_ventricle)
        outlines = [self.to_pixels(self.tabulate(partial(curve, self.heart))) for curve in curves]
        frames = [rasterise([*zip(points, (2, 3, 1))], self.view.size) for points in zip(*outlines)]
        return np.stack(frames)

    def tracing(self, frame: int) -> Array:
        """Trace a frame as EchoNet-Dynamic does: (21, 4) of x1, y1, x2, y2 in pixels."""
        return self.to_pixels(tracing(self.heart, self.contraction[frame]), frame).reshape(-1, 4)

    def leaflet_curves(self, opening: Array) -> Array:
        """Curves of the valve leaflets, (T, 4, points, 2) in probe coordinates in mm."""
        closed, opened = (
            self.tabulate(partial(leaflets, self.heart, opening=amount)) for amount in (0.0, 1.0)
        )
        share = opening[:, None, None, None]
        return self.to_probe(closed + (opened - closed) * share)

    def track(self, pixels: Array, start: int, end: int) -> Array:
        """Track tissue, (n, 2) pixels (x, y), from one frame to another."""
        points = drift(self.view.to_probe(pixels), -self.along[start], 0.0)
        points = drift(points, 0.0, -self.across[start])
        x, y = self.pose.to_heart(points).T
        x, y = to_rest(self.heart, x, y, float(self.contraction[start]))
        x, y = from_rest(self.heart, x, y, float(self.contraction[end]))
        return self.to_pixels(np.stack([x, y], -1), end)
