"""The echo amplitude of each part of the relaxed heart."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from echocardmae_mm.phantom.anatomy import ROWS, Heart
from echocardmae_mm.phantom.scatterers import COLUMNS, LINES, Image, smooth_noise


@dataclass(frozen=True)
class Echogenicity:
    """Level of each tissue in dB relative to the myocardium.

    Args:
        blood (float): Blood.
        outside (float): Lung and other tissue around the heart.
        pericardium (float): Bright line around the lateral wall.
        posterior (float): Tissue behind the atria.
        lateral_dropout (float): Loss in the middle of the lateral wall.
        roughness (float): Sd of the endocardial border in mm, due to trabeculae.
        papillary (float): Papillary muscle.
        patchiness (float): Sd of slow variations of the tissue.
        fading (float): Loss next to the heart, due to the lung, in dB per mm.
    """

    blood: float
    outside: float
    pericardium: float
    posterior: float
    lateral_dropout: float
    roughness: float
    papillary: float
    patchiness: float
    fading: float


class _Sketch:
    """Levels in dB on the material grid, drawn part by part."""

    def __init__(self, rng: np.random.Generator, heart: Heart, levels: Echogenicity) -> None:
        self.rng, self.heart, self.levels = rng, heart, levels
        self.shape = (len(LINES), len(COLUMNS))
        self.x = COLUMNS[None].astype(np.float32)
        self.y = LINES[:, None].astype(np.float32)
        walls = np.stack([np.interp(LINES, ROWS, border) for border in heart.borders(0.0)])
        self.walls = walls.astype(np.float32)[..., None]
        self.length, self.roof = heart.length, heart.length + heart.la_length

    def near(self, border: Image, width: float) -> Image:
        """Draw a line of some width along a border."""
        return np.exp(-(((self.x - border) / width) ** 2))

    def blob(self, centre: tuple[float, float], radii: tuple[float, float]) -> Image:
        """Draw a Gaussian spot."""
        across = np.exp(-(((self.x - centre[0]) / radii[0]) ** 2))
        return across * np.exp(-(((self.y - centre[1]) / radii[1]) ** 2))

    def at(self, border: int, place: float) -> float:
        """Position of a border at a place along the axis."""
        return float(np.interp(place, LINES, self.walls[border, :, 0]))

    def chambers(self) -> None:
        """Fill walls, blood and surroundings; roughen the endocardium at the apex."""
        levels = self.levels
        rough = levels.roughness * smooth_noise(self.rng, self.shape, 2.2)
        rough *= np.clip(1.15 - self.y / self.length, 0.5, 1.0)
        region = np.zeros(self.shape, np.uint8)
        for border, roughness in zip(self.walls[1:7], (0.3, 1.2, 0.2, 1.0, 1.0, 0.2)):
            region += (self.x + roughness * rough > border).view(np.uint8)
        around, blood = levels.outside, levels.blood
        table = np.array([around, -3.0, blood, 1.5, blood, 0.0, around], np.float32)
        image = table[region]
        atrial = np.broadcast_to(self.y > self.length + 6, self.shape)
        image[atrial & ((region == 1) | (region == 5))] = -2.0
        image[np.broadcast_to(self.y < -self.heart.apex, self.shape)] = around + 5.0
        self.image, self.cavity = image, region == 4

    def interfaces(self) -> None:
        """Brighten pericardium, septal fibres and endocardium."""
        beside = ((self.y > 0.1 * self.length) & (self.y < self.roof)).astype(np.float32)
        self.image += self.levels.pericardium * self.near(self.walls[6] + 1.0, 1.6) * beside
        self.image += 3.0 * self.near(self.walls[1] - 1.0, 1.6) * beside
        ventricular = ((self.y > 0) & (self.y < self.length)).astype(np.float32)
        self.image += 3.0 * self.near(0.5 * (self.walls[3] + self.walls[4]), 3.0) * ventricular
        inner = self.near(self.walls[4], 1.4) + self.near(self.walls[5], 1.4)
        self.image += 2.0 * inner * ventricular

    def posterior(self) -> None:
        """Add the bright tissue behind the atria."""
        roof = self.roof
        start = self.y - roof + 4 + 2.5 * smooth_noise(self.rng, self.shape, 9.0)
        behind = np.clip(start / 5.0, 0.0, 1.0)
        level = self.levels.posterior - 0.28 * np.maximum(self.y - roof - 8.0, 0.0)
        middle = 0.5 * (self.at(2, roof - 15) + self.at(5, roof - 15))
        width = np.exp(-(((self.x - middle) / 62.0) ** 4))
        level = np.maximum(level * width - 16.0 * (1.0 - width), -40.0)
        self.image += behind * (level - self.image)

    def landmarks(self) -> None:
        """Brighten the crux and the mitral annulus; attenuate fossa ovalis and lateral wall."""
        length, uniform = self.length, self.rng.uniform
        crux = 0.5 * (self.at(3, length) + self.at(4, length))
        self.image += 7.0 * self.blob((crux, length + 1.0), (4.0, 5.0))
        self.image += 5.0 * self.blob((self.at(5, length) + 3.0, length + 1.0), (3.5, 4.5))
        fossa = (self.at(3, length + 20), length + uniform(16, 24))
        self.image -= 12.0 * self.blob(fossa, (7.0, 7.0))
        wall = (self.at(6, 0.5 * length) - 3.0, uniform(0.3, 0.6) * length)
        self.image -= self.levels.lateral_dropout * self.blob(wall, (14.0, 0.24 * length))

    def within_the_cavity(self) -> None:
        """Add a papillary muscle and trabeculae at the apex."""
        place = (self.at(5, 0.5 * self.length) - 3.5, self.rng.uniform(0.42, 0.62) * self.length)
        muscle = np.minimum(1.0, 1.6 * self.blob(place, (3.0, self.rng.uniform(7.0, 12.0))))
        self.image = np.maximum(self.image, self.levels.papillary - 32.0 * (1.0 - muscle))
        strands = 4.0 * smooth_noise(self.rng, self.shape, 2.5) - 11.0
        strands -= 0.6 * np.abs(self.y - 0.08 * self.length)
        self.image = np.where(self.cavity, np.maximum(self.image, strands), self.image)

    def irregularities(self) -> None:
        """Fade the surroundings into the lung, and vary the tissue."""
        beside = np.maximum(self.walls[1] - self.x, self.x - self.walls[6]).clip(0.0, 60.0)
        self.image -= self.levels.fading * beside * (self.y < self.roof)
        patches = smooth_noise(self.rng, self.shape, 13.0)
        patches += 0.5 * smooth_noise(self.rng, self.shape, 4.0)
        self.image += self.levels.patchiness * patches


def echogenicity(rng: np.random.Generator, heart: Heart, levels: Echogenicity) -> Image:
    """Draw the echo amplitude of the relaxed heart, 1 for average myocardium.

    Returns:
        np.ndarray: (lines, columns) of the material grid, float32.
    """
    sketch = _Sketch(rng, heart, levels)
    sketch.chambers()
    sketch.interfaces()
    sketch.posterior()
    sketch.landmarks()
    sketch.within_the_cavity()
    sketch.irregularities()
    amplitude = np.exp(sketch.image * np.float32(np.log(10.0) / 20.0)).astype(np.float32)
    return cv2.GaussianBlur(amplitude, (0, 0), 0.9)
