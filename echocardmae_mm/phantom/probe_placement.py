"""Place a heart under the probe and the sector in the picture; rasterise labels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from echocardmae_mm.phantom.anatomy import Heart
from echocardmae_mm.phantom.contours import epicardium, left_ventricle
from echocardmae_mm.phantom.field_of_view import FieldOfView, Pose, drift, to_polar
from echocardmae_mm.phantom.screen import Screen
from echocardmae_mm.phantom.variants import Variant

_TRIES = 40


def _visible(heart: Heart, pose: Pose, view: FieldOfView) -> float:
    """Share of the left ventricle's outlines within the picture, allowing for drift."""
    cavity = np.concatenate([left_ventricle(heart, 0.0), epicardium(heart, 0.0)[8:-8]])
    shown = []
    for along, across in ((-2.5, -0.03), (2.5, 0.03)):
        points = drift(pose.to_probe(cavity), along, across)
        x, y = view.to_pixels(points).T
        radius, angle = to_polar(points)
        inside = (radius > view.near) & (radius < view.depth) & (np.abs(angle) < view.half_angle)
        inside &= (x > 1) & (x < view.size[1] - 2) & (y > 1) & (y < view.size[0] - 2)
        if view.masked:
            scale = 112.0 / view.size[0]
            inside &= (scale * (x + y) > 68) & (scale * (x - y) < 66)
        shown.append(inside)
    return float(np.mean(shown))


def _draw_pose(rng: np.random.Generator, heart: Heart, near: float, spread: float) -> Pose:
    lean = np.deg2rad(rng.normal(3.0, 11.0 * spread))
    start = near + rng.uniform(7.0, 27.0) + heart.apex
    return Pose(float(lean), (rng.normal(1.0, 11.0 * spread), start))


def place(
    rng: np.random.Generator, variant: Variant, heart: Heart, screen: Screen
) -> tuple[FieldOfView, Pose]:
    """Draw a pose and a sector that show the left ventricle, or the best of many attempts.

    In EchoNet-Dynamic's crop, the sector fills the picture and its apex is close to that of the
    template; otherwise the whole sector lies in a box.
    """
    size = screen.size
    best: tuple[float, FieldOfView, Pose] | None = None
    for attempt in range(_TRIES):
        spread = 1.0 - 0.8 * attempt / _TRIES
        near = rng.uniform(*variant.near_radius)
        half = np.deg2rad(rng.uniform(*variant.half_angle) + 8.0 * attempt / _TRIES)
        tilt = np.deg2rad(rng.normal(0.0, 2.2 * spread))
        pose = _draw_pose(rng, heart, near, spread)
        reach = pose.apex[1] + (heart.length + heart.la_length) * np.cos(pose.lean)
        depth = reach + rng.uniform(2.0, 45.0)
        if screen.masked:
            scale = float(depth / (size[0] * rng.uniform(0.93, 1.06)))
            unit = size[0] / 112.0
            origin = (rng.normal(66.0, 2.0) * unit, rng.normal(-0.5, 1.8) * unit)
            spacing = (scale, scale)
        else:
            origin, spacing = _fit(rng, screen, near, depth, float(half))
        view = FieldOfView(
            size,
            origin,
            spacing,
            float(half),
            float(tilt),
            float(near),
            float(depth),
            screen.masked,
        )
        share = _visible(heart, pose, view)
        if best is None or share > best[0]:
            best = (share, view, pose)
        if share > 0.985:
            break
    assert best is not None
    return best[1], best[2]


def _fit(
    rng: np.random.Generator, screen: Screen, near: float, depth: float, half: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Draw origin and spacing of a whole sector within a box of the picture."""
    (height, width), box, aspect = screen.size, screen.box, screen.aspect
    left, top, right, bottom = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    start = near * np.cos(half)
    column = max(
        (depth - start) / aspect / (bottom - top), 2.1 * depth * np.sin(half) / (right - left)
    )
    column *= rng.uniform(1.0, 1.12)
    row = column * aspect
    free_x = (right - left) - 2.0 * depth * np.sin(half) / column
    free_y = (bottom - top) - (depth - start) / row
    x = left + depth * np.sin(half) / column + free_x * rng.uniform(0.3, 0.7)
    y = top + max(free_y, 0.0) * rng.uniform(0.1, 0.6) - start / row
    return (float(x), float(y)), (float(row), float(column))


def rasterise(
    outlines: list[tuple[NDArray[np.float64], int]], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Fill outlines, (n, 2) pixels (x, y), with labels, in order.

    A pixel gets the label of its centre.
    """
    fine = 5 if size[0] <= 256 else 1
    canvas = np.zeros((size[0] * fine, size[1] * fine), np.uint8)
    for points, label in outlines:
        places = np.rint((points * fine + (fine - 1) / 2.0) * 16.0).astype(np.int32)
        cv2.fillPoly(canvas, [places], label, cv2.LINE_8, 4)
    return np.ascontiguousarray(canvas[fine // 2 :: fine, fine // 2 :: fine])
