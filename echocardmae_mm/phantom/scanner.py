"""Image formation in beam space: scatterers, point-spread function, noise, display."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .deformation import Deformation
from .field_of_view import FieldOfView, Pose
from .look import Look
from .tissue import COLUMNS, LINES, STEP, smooth_noise

#: A float32 image; OpenCV's stubs know no narrower type.
Image = NDArray[Any]
Array = NDArray[np.float64]

#: Contractions at which the motion is tabulated; between them it is interpolated.
NUM_LEVELS = 10

#: The motion is computed at every second beam and sample.
COARSE = 2

#: Beams and samples around the field of view from which the drifting heart enters.
MARGIN = 8


class BeamGrid:
    """Sampling of a field of view by beams (rows) and samples along them (columns).

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
        """Probe coordinates in mm of every ``step``-th point of the grid and of a margin around it.

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
        """Fixed-point maps for :func:`cv2.remap` from the grid to the picture."""
        radius, angle = self.view.polar_grid()
        sample = ((radius - self.radii[0]) / self.radius_step).astype(np.float32)
        beam = ((angle - self.angles[0]) / self.angle_step).astype(np.float32)
        return cv2.convertMaps(sample, beam, cv2.CV_16SC2)


class Scanner:
    """Forms the frames of one recording.

    Args:
        grid (BeamGrid): Sampling of the field of view.
        look (Look): Settings of the machine.
        tissue (tuple[np.ndarray]): Real and imaginary part of the scattering of the relaxed
            heart, echogenicity included, on the material grid.
        rng (np.random.Generator): Source of noise, clutter and shadows.
    """

    def __init__(
        self,
        grid: BeamGrid,
        look: Look,
        tissue: tuple[Image, Image],
        rng: np.random.Generator,
    ) -> None:
        self.grid, self.look, self.tissue = grid, look, tissue
        axial = look.axial_blur / grid.radius_step
        lateral = np.deg2rad(look.lateral_blur) / grid.angle_step
        self._kernels = self._kernel(axial), self._kernel(lateral)
        beams, samples = grid.shape
        self._grain = rng.standard_normal((2, *grid.shape), dtype=np.float32)
        self._gain = self._draw_gain(rng)
        self._clutter = self._draw_clutter(rng)
        self._noise = self._blurred_noise(rng, (beams + 48, samples + 48))
        level = look.noise + look.noise_slope * grid.radii
        self._noise_level = np.tile((10.0 ** (level / 20.0)).astype(np.float32), (beams, 1))
        self._offsets = rng.integers(0, 48, (4096, 2))
        self._former: Image | None = None

    @staticmethod
    def _kernel(sd: float) -> Image:
        kernel = cv2.getGaussianKernel(2 * int(np.ceil(2.5 * sd)) + 1, sd)
        return (kernel / np.sqrt((kernel**2).sum())).astype(np.float32)

    def _blur(self, image: Image) -> Image:
        along, across = self._kernels
        return cv2.sepFilter2D(image, -1, along, across, borderType=cv2.BORDER_REFLECT)

    def _blurred_noise(self, rng: np.random.Generator, shape: tuple[int, int]) -> list[Image]:
        parts = rng.standard_normal((2, *shape), dtype=np.float32) / np.float32(np.sqrt(2.0))
        return [self._blur(part) for part in parts]

    def _draw_gain(self, rng: np.random.Generator) -> Image:
        """Amplitude that tissue keeps on its way: attenuation, edges, shadows."""
        beams, samples = self.grid.shape
        look, radii = self.look, self.grid.radii
        side = np.linspace(-1.0, 1.0, beams)[:, None]
        level = np.broadcast_to(-look.attenuation * radii, (beams, samples)).copy()
        level -= look.edge * np.abs(side + rng.normal(0.0, 0.08)) ** 3
        for _ in range(look.shadows):
            centre, width = rng.uniform(-1.1, 1.1), rng.uniform(0.04, 0.16)
            start = rng.uniform(0.0, 0.5) * radii[-1]
            onset = np.clip((radii - start) / (0.1 * radii[-1]), 0.0, 1.0)
            level -= look.shadow * np.exp(-(((side - centre) / width) ** 2)) * onset
        level += look.unevenness * smooth_noise(rng, (beams, samples), 10.0)
        return (10.0 ** (level / 20.0)).astype(np.float32)

    def _draw_clutter(self, rng: np.random.Generator) -> list[Image]:
        """Echoes that stay in place: near field, reverberation, haze in the cavities."""
        look, radii = self.look, self.grid.radii
        depth = radii - radii[0]
        near = look.clutter - 10.0 * depth / look.clutter_reach
        for place in rng.uniform(3.0, 24.0, 2):
            near = np.maximum(
                near, look.clutter + 2.0 - ((depth - place) / 1.6) ** 2 - 0.35 * place
            )
        haze = look.haze - 0.06 * depth + 5.0 * smooth_noise(rng, self.grid.shape, 14.0)
        level = np.maximum(near + 2.0 * smooth_noise(rng, self.grid.shape, 7.0), haze)
        amplitude = (10.0 ** (level / 20.0)).astype(np.float32)
        return [part * amplitude for part in self._blurred_noise(rng, self.grid.shape)]

    def tabulate(self, deformation: Deformation, pose: Pose, contractions: Array) -> None:
        """Tabulate where the tissue under each grid point lies in the relaxed heart.

        Args:
            deformation (Deformation): The heart's motion.
            pose (Pose): How it lies under the probe.
            contractions (np.ndarray): Contraction of every frame; the table spans their range.
        """
        self._levels = np.linspace(contractions.min(), contractions.max() + 1e-6, NUM_LEVELS)
        fine = [size + 2 * MARGIN for size in self.grid.shape]
        line, column = (np.mgrid[: fine[0], : fine[1]] / COARSE).astype(np.float32)
        coarse = self.grid.points(MARGIN, COARSE)
        x, y = (
            np.ascontiguousarray(part).ravel() for part in pose.to_heart(coarse).transpose(2, 0, 1)
        )
        self._maps: list[tuple[Image, ...]] = []
        for level in self._levels:
            places = deformation.to_rest(x, y, float(level))
            self._maps.append(
                tuple(
                    cv2.remap(
                        ((place - first) / STEP).astype(np.float32).reshape(coarse.shape[:2]),
                        column,
                        line,
                        cv2.INTER_LINEAR,
                        borderMode=cv2.BORDER_REPLICATE,
                    )
                    for place, first in zip(places, (COLUMNS[0], LINES[0]))
                )
            )
        self._focus()

    def _focus(self) -> None:
        """Even out the sum of scatterers under the point-spread function over depth."""
        inner = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
        column, line = (part[inner] for part in self._maps[0])
        plain = cv2.GaussianBlur(self._grain_like_tissue(), (0, 0), 0.55)
        echo = self._blur(cv2.remap(plain / plain.std(), column, line, cv2.INTER_LINEAR))
        power = cv2.blur((echo**2).mean(axis=0, keepdims=True), (41, 1))[0]
        self._gain *= (1.0 / np.sqrt(2.0 * power)).astype(np.float32)

    def _grain_like_tissue(self) -> Image:
        rng = np.random.default_rng(0)
        return rng.standard_normal(self.tissue[0].shape, dtype=np.float32)

    def _material_map(self, contraction: float, along: float, across: float) -> list[Image]:
        """Interpolate the table in contraction, and shift it by the drift in beam space."""
        step = self._levels[1] - self._levels[0]
        place = (contraction - self._levels[0]) / step
        low = min(int(place), NUM_LEVELS - 2)
        weight = place - low
        sample = MARGIN - along / self.grid.radius_step
        beam = MARGIN - across / self.grid.angle_step
        s, b = int(np.floor(sample)), int(np.floor(beam))
        sample, beam = sample - s, beam - b
        beams, samples = self.grid.shape
        window = (slice(b, b + beams + 1), slice(s, s + samples + 1))
        moved = []
        for first, second in zip(self._maps[low], self._maps[low + 1]):
            part = cv2.addWeighted(first[window], 1 - weight, second[window], weight, 0)
            part = cv2.addWeighted(part[:, :-1], 1 - sample, part[:, 1:], sample, 0)
            moved.append(cv2.addWeighted(part[:-1], 1 - beam, part[1:], beam, 0))
        return moved

    def _leaflets(self, curves: Array) -> list[Image]:
        """Echo of the valve leaflets, (leaflet, point, 2) in grid coordinates."""
        drawn = np.zeros(self.grid.shape, np.uint8)
        points = np.rint(curves * 16.0).astype(np.int32)
        cv2.polylines(drawn, list(points), False, 255, 1, cv2.LINE_AA, 4)
        return [
            cv2.multiply(drawn, grain, scale=2.6 / 255, dtype=cv2.CV_32F) for grain in self._grain
        ]

    def envelope_power(
        self, index: int, contraction: float, along: float, across: float, leaflets: Array
    ) -> Image:
        """Squared envelope before compression, (beams, samples).

        Args:
            index (int): Number of the frame: chooses the noise.
            contraction (float): Contraction of the heart.
            along (float): Drift along the beams in mm.
            across (float): Drift about the probe in radians.
            leaflets (np.ndarray): (leaflet, point, 2) grid coordinates of the valve leaflets.
        """
        column, line = self._material_map(contraction, along, across)
        y, x = self._offsets[index % len(self._offsets)]
        beams, samples = self.grid.shape
        powers = []
        for part, leaflet, clutter, noise in zip(
            self.tissue, self._leaflets(leaflets), self._clutter, self._noise
        ):
            echo = cv2.remap(part, column, line, cv2.INTER_LINEAR)
            echo = self._blur(cv2.add(echo, leaflet))
            echo = cv2.add(cv2.multiply(echo, self._gain), clutter)
            hiss = cv2.multiply(noise[y : y + beams, x : x + samples], self._noise_level)
            echo = cv2.add(echo, hiss)
            powers.append(cv2.multiply(echo, echo))
        return cv2.add(*powers)

    def display(self, power: Image) -> NDArray[np.uint8]:
        """Compress the squared envelope to the displayed grey levels, and scan-convert it."""
        look = self.look
        if look.persistence:
            if self._former is not None:
                power = cv2.addWeighted(
                    power, 1 - look.persistence, self._former, look.persistence, 0
                )
            self._former = power
        power = cv2.GaussianBlur(power, (5, 3), look.smoothing)
        level = cv2.log(power + np.float32(1e-9))
        scale = 10.0 / np.log(10.0) * 255.0 / look.dynamic_range
        grey = cv2.addWeighted(level, scale, level, 0.0, 255.0 * look.brightness, dtype=cv2.CV_8U)
        return cv2.remap(grey, *self.grid.scan_maps, cv2.INTER_LINEAR, borderValue=0)
