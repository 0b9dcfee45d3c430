"""Fit a sector, which has two edges from one apex and two arcs about it, to a map of evidence.

Profiles are sampled across each edge and arc. On each profile, the best boundary maximises the sum
of the evidence inside, which dark cavities and shadows inside and stray pixels outside change
little. Robust least squares then moves the whole sector, in several passes with decreasing reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

PROFILES = 64
ALONG = (np.arange(PROFILES) + 0.5) / PROFILES
SAMPLES = 41
REACHES = (0.25, 0.25, 0.15, 0.15, 0.08, 0.08, 0.04, 0.04, 0.04)
MIN_REACH = 3.0
END_WEIGHT = 0.05
DAMPING = 1e-4
MAX_TURN = 1.5
MAX_STRETCH = 1.2


class Sector(NamedTuple):
    """Sector in pixels; angles are measured from straight down, positive to the right.

    Args:
        x (float): Horizontal position of the apex.
        y (float): Vertical position of the apex.
        left (float): Direction of the left edge in radians.
        right (float): Direction of the right edge in radians.
        depth (float): Radius of the outer arc, measured straight down.
        near (float): Radius of the inner arc, measured straight down.
        stretch (float): Logarithm of the ratio of a pixel's width to its height. Defaults to 0.
        flat (bool): Whether horizontal lines replace the arcs, as for a linear probe. Defaults to
            False.
    """

    x: float
    y: float
    left: float
    right: float
    depth: float
    near: float
    stretch: float = 0.0
    flat: bool = False

    def radius(self, across: np.ndarray, down: np.ndarray) -> np.ndarray:
        """Radius of the arc, measured straight down, through points relative to the apex."""
        return down if self.flat else np.hypot(across * np.exp(self.stretch), down)

    def margin(self, height: int, width: int) -> np.ndarray:
        """Distance of each pixel of a frame from the nearest edge or arc.

        Returns:
            np.ndarray: float32 of shape (height, width) in pixels, positive inside.
        """
        y, x = np.indices((height, width), np.float32)
        across, down = x - np.float32(self.x), y - np.float32(self.y)
        radius = self.radius(across, down)
        left = across * np.cos(self.left) - down * np.sin(self.left)
        right = down * np.sin(self.right) - across * np.cos(self.right)
        ends = np.minimum(self.depth - radius, radius - self.near)
        return np.minimum(np.minimum(left, right), ends).astype(np.float32)


class Boundary(NamedTuple):
    """Points along an edge or an arc.

    Args:
        points (np.ndarray): x and y, (n, 2).
        normals (np.ndarray): Outward unit normals, (n, 2).
        slopes (np.ndarray): Derivatives of the outward position of the points with respect to the
            first seven parameters of the sector, (n, 7).
    """

    points: np.ndarray
    normals: np.ndarray
    slopes: np.ndarray


def fit_sector(evidence: np.ndarray, start: Sector) -> Sector:
    """Move an initial sector to the boundaries of the evidence.

    Args:
        evidence (np.ndarray): float32 of shape (H, W): positive where a pixel looks like
            ultrasound, negative where it does not, 0 where it is unknown.
        start (Sector): The initial sector; ``flat`` is kept.

    Returns:
        Sector: The fitted sector.
    """
    sector = start
    for reach in REACHES:
        extent = sector.depth - sector.near
        sector = _refine(evidence, sector, max(reach * extent, MIN_REACH))
    return sector


def _refine(evidence: np.ndarray, sector: Sector, reach: float) -> Sector:
    points, normals, slopes = (
        np.concatenate(parts) for parts in zip(*_edges(sector), *_arcs(sector))
    )
    shift, weight = _best_shift(evidence, points, normals, reach)
    # In these units, every parameter moves the boundary by about one pixel.
    turn, widen = 1 / sector.depth, 1 / (sector.depth - sector.near)
    units = np.array([1, 1, turn, turn, 1, 1, widen])
    step = units * _robust_solve(slopes * units, shift, weight, max(0.75, 0.15 * reach))
    x, y, left, right, depth, near, stretch = np.array(sector[:7]) + step
    return Sector(
        x,
        y,
        np.clip(left, -MAX_TURN, MAX_TURN),
        np.clip(right, -MAX_TURN, MAX_TURN),
        max(depth, near + 2, 2),
        max(near, 0),
        np.clip(stretch, -MAX_STRETCH, MAX_STRETCH),
        sector.flat,
    )


def _edges(sector: Sector) -> Iterator[Boundary]:
    radius = sector.near + ALONG * (sector.depth - sector.near)
    for column, angle, side in ((2, sector.left, -1), (3, sector.right, 1)):
        beam = np.array([np.sin(angle), np.cos(angle)])
        length = radius / sector.radius(*beam)
        normals = np.tile(side * beam[::-1] * [1, -1], (PROFILES, 1))
        slopes = np.zeros((PROFILES, 7))
        slopes[:, :2] = normals
        slopes[:, column] = side * length
        yield Boundary(sector[:2] + length[:, None] * beam, normals, slopes)


def _arcs(sector: Sector) -> Iterator[Boundary]:
    angle = sector.left + ALONG * (sector.right - sector.left)
    beam = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    unit = sector.radius(*beam.T)[:, None]
    squeeze = 0.0 if sector.flat else np.exp(2 * sector.stretch)
    rise = beam * [squeeze, 1] / unit
    norm = np.linalg.norm(rise, axis=1, keepdims=True)
    for column, radius, side in ((4, sector.depth, 1), (5, sector.near, -1)):
        normals = side * rise / norm
        slopes = np.zeros((PROFILES, 7))
        slopes[:, :2] = normals
        slopes[:, [column]] = side / norm
        slopes[:, [6]] = -side * radius * squeeze * (beam[:, :1] / unit) ** 2 / norm
        yield Boundary(sector[:2] + beam * radius / unit, normals, slopes)


def _best_shift(
    evidence: np.ndarray, points: np.ndarray, normals: np.ndarray, reach: float
) -> tuple[np.ndarray, np.ndarray]:
    """Shift of each point along its normal, (n,), and its weight, (n,)."""
    offsets, spacing = np.linspace(-reach, reach, SAMPLES, retstep=True)
    places = (points[:, None] + offsets[:, None] * normals[:, None]).astype(np.float32)
    # places: (n, SAMPLES, 2) -> profiles: (n, SAMPLES)
    profiles = cv2.remap(evidence, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    merit = np.zeros((len(points), SAMPLES + 1))
    merit[:, 1:] = profiles.cumsum(axis=1)
    first = merit.argmax(axis=1)
    last = SAMPLES - merit[:, ::-1].argmax(axis=1)
    shift = ((first + last) / 2 - SAMPLES / 2) * spacing
    best = merit.max(axis=1)
    weight = best - np.maximum(merit[:, 0], merit[:, -1])
    return shift, weight + END_WEIGHT * (best - merit.min(axis=1))


def _robust_solve(
    slopes: np.ndarray, shift: np.ndarray, weight: np.ndarray, tolerance: float
) -> np.ndarray:
    """Damped least squares with small weights for shifts beyond the tolerance."""
    step = np.zeros(slopes.shape[1])
    trust = weight
    for _ in range(4):
        weighted = slopes * trust[:, None]
        normal = weighted.T @ slopes
        normal[np.diag_indices_from(normal)] += DAMPING * np.trace(normal) + 1e-6
        step = np.linalg.solve(normal, weighted.T @ shift)
        trust = weight / (1 + ((shift - slopes @ step) / tolerance) ** 2)
    return step
