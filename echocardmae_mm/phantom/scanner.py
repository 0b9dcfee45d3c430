"""Image formation in beam space: scatterers, point-spread function, noise, display."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from echocardmae_mm.phantom.acquisition import AcquisitionSettings
from echocardmae_mm.phantom.motion_table import MotionTable
from echocardmae_mm.phantom.scatterers import GRAIN, Image, smooth_noise

Array = NDArray[np.float64]

#: Each frame's noise is a random crop of a noise field that is larger by this many samples.
NOISE_SHIFTS = 48


class Scanner:
    """Simulate the frames of one recording.

    Args:
        table (MotionTable): Position in the relaxed heart of the tissue under each beam sample.
        settings (AcquisitionSettings): Settings of the scanner.
        tissue (tuple[np.ndarray]): Real and imaginary part of the relaxed heart's scatterers,
            multiplied by its echogenicity, on the material grid.
        rng (np.random.Generator): Random generator for noise, clutter and shadows.
    """

    def __init__(
        self,
        table: MotionTable,
        settings: AcquisitionSettings,
        tissue: tuple[Image, Image],
        rng: np.random.Generator,
    ) -> None:
        self.table, self.settings, self.tissue = table, settings, tissue
        self.grid = grid = table.grid
        axial = settings.axial_blur / grid.radius_step
        lateral = np.deg2rad(settings.lateral_blur) / grid.angle_step
        self._kernels = self._kernel(axial), self._kernel(lateral)
        beams, samples = grid.shape
        self._grain = rng.standard_normal((2, *grid.shape), dtype=np.float32)
        self._gain = self._draw_gain(rng) * self._focus()
        self._clutter = self._draw_clutter(rng)
        self._noise = self._blurred_noise(rng, (beams + NOISE_SHIFTS, samples + NOISE_SHIFTS))
        level = settings.noise + settings.noise_slope * grid.radii
        self._noise_level = np.tile((10.0 ** (level / 20.0)).astype(np.float32), (beams, 1))
        self._offsets = rng.integers(0, NOISE_SHIFTS, (4096, 2))
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
        """Draw the gain due to attenuation, sector edges and shadows, (beams, samples)."""
        beams, samples = self.grid.shape
        settings, radii = self.settings, self.grid.radii
        side = np.linspace(-1.0, 1.0, beams)[:, None]
        level = np.broadcast_to(-settings.attenuation * radii, (beams, samples)).copy()
        level -= settings.edge * np.abs(side + rng.normal(0.0, 0.08)) ** 3
        for _ in range(settings.shadows):
            centre, width = rng.uniform(-1.1, 1.1), rng.uniform(0.04, 0.16)
            start = rng.uniform(0.0, 0.5) * radii[-1]
            onset = np.clip((radii - start) / (0.1 * radii[-1]), 0.0, 1.0)
            level -= settings.shadow * np.exp(-(((side - centre) / width) ** 2)) * onset
        level += settings.unevenness * smooth_noise(rng, (beams, samples), 10.0)
        return (10.0 ** (level / 20.0)).astype(np.float32)

    def _draw_clutter(self, rng: np.random.Generator) -> list[Image]:
        """Draw stationary echoes (near field, reverberation, haze): two (beams, samples) parts."""
        settings, radii = self.settings, self.grid.radii
        depth = radii - radii[0]
        near = settings.clutter - 10.0 * depth / settings.clutter_reach
        for place in rng.uniform(3.0, 24.0, 2):
            near = np.maximum(
                near, settings.clutter + 2.0 - ((depth - place) / 1.6) ** 2 - 0.35 * place
            )
        haze = settings.haze - 0.06 * depth + 5.0 * smooth_noise(rng, self.grid.shape, 14.0)
        level = np.maximum(near + 2.0 * smooth_noise(rng, self.grid.shape, 7.0), haze)
        amplitude = (10.0 ** (level / 20.0)).astype(np.float32)
        return [part * amplitude for part in self._blurred_noise(rng, self.grid.shape)]

    def _focus(self) -> Image:
        """Compute the gain that makes speckle equally bright at all depths, (samples,).

        Measured on homogeneous tissue, which is the same for every recording.
        """
        rng = np.random.default_rng(0)
        plain = rng.standard_normal(self.tissue[0].shape, dtype=np.float32)
        plain = cv2.GaussianBlur(plain, (0, 0), GRAIN)
        column, line = self.table.lookup(float(self.table.levels[0]), 0.0, 0.0)
        echo = self._blur(cv2.remap(plain / plain.std(), column, line, cv2.INTER_LINEAR))
        power = cv2.blur((echo**2).mean(axis=0, keepdims=True), (41, 1))[0]  # (samples,)
        return (1.0 / np.sqrt(2.0 * power)).astype(np.float32)

    def _leaflets(self, curves: Array) -> list[Image]:
        """Echo of the valve leaflets with curves (leaflet, point, 2) in grid coordinates."""
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
            index (int): Number of the frame, which selects the noise.
            contraction (float): Contraction of the heart.
            along (float): Drift along the beams in mm.
            across (float): Drift about the probe in radians.
            leaflets (np.ndarray): (leaflet, point, 2) grid coordinates of the valve leaflets.
        """
        column, line = self.table.lookup(contraction, along, across)  # (beams, samples) each
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
        """Compress the squared envelope to grey levels and scan-convert it."""
        settings = self.settings
        if settings.persistence:
            if self._former is not None:
                power = cv2.addWeighted(
                    power, 1 - settings.persistence, self._former, settings.persistence, 0
                )
            self._former = power
        power = cv2.GaussianBlur(power, (5, 3), settings.smoothing)
        level = cv2.log(power + np.float32(1e-9))  # (beams, samples)
        scale = 10.0 / np.log(10.0) * 255.0 / settings.dynamic_range
        grey = cv2.addWeighted(
            level, scale, level, 0.0, 255.0 * settings.brightness, dtype=cv2.CV_8U
        )
        # (beams, samples) -> (H, W)
        return cv2.remap(grey, *self.grid.scan_maps, cv2.INTER_LINEAR, borderValue=0)
