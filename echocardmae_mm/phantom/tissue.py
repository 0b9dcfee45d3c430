"""What the relaxed heart is made of: echogenicity and scatterers that move with the tissue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .anatomy import ROWS, Heart

#: A float32 image; OpenCV's stubs know no narrower type.
Image = NDArray[Any]

#: Spacing of the material grid in mm, and where its columns lie.
STEP = 0.6
COLUMNS = np.arange(-112.0, 112.0, STEP)
LINES = np.arange(ROWS[0], ROWS[-1], STEP)


@dataclass(frozen=True)
class Echogenicity:
    """Level of each tissue in dB relative to the myocardium.

    Args:
        blood (float): Blood.
        outside (float): Lung and other tissue around the heart.
        pericardium (float): Bright line around the lateral wall.
        posterior (float): Tissue behind the atria.
        lateral_dropout (float): How much weaker the middle of the lateral wall returns.
        roughness (float): Sd of the endocardial border in mm, trabeculae.
        papillary (float): Papillary muscle.
        patchiness (float): Sd of slow changes of the tissue.
        fading (float): Loss beside the heart, where lung lies, in dB a mm.
    """

    blood: float = -34.0
    outside: float = -13.0
    pericardium: float = 7.0
    posterior: float = 6.0
    lateral_dropout: float = 8.0
    roughness: float = 0.9
    papillary: float = -5.0
    patchiness: float = 3.0
    fading: float = 0.2


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], sd: float) -> Image:
    """White noise blurred by a Gaussian of ``sd`` pixels, with unit variance.

    It is drawn on a coarser grid where the blur allows it, which costs less and looks the same.
    """
    coarse = max(1, int(sd / 1.5))
    small = (shape[0] // coarse + 2, shape[1] // coarse + 2)
    noise = rng.standard_normal(small, dtype=np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), sd / coarse)
    noise = cv2.resize(noise, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return noise / noise.std()


def scatterers(rng: np.random.Generator) -> tuple[Image, Image]:
    """Complex Gaussian scatterers of unit variance on the material grid: real, imaginary."""
    shape = (len(LINES), len(COLUMNS))
    parts = rng.standard_normal((2, *shape), dtype=np.float32)
    real, imaginary = (cv2.GaussianBlur(part, (0, 0), 0.55) for part in parts)
    scale = np.float32(1.0 / real.std())
    return real * scale, imaginary * scale


def echogenicity(rng: np.random.Generator, heart: Heart, levels: Echogenicity) -> Image:
    """Echo amplitude of the relaxed heart on the material grid, 1 for average myocardium.

    Args:
        rng (np.random.Generator): Source of the irregularities.
        heart (Heart): The heart.
        levels (Echogenicity): Levels of the tissues.

    Returns:
        np.ndarray: (lines, columns) float32.
    """
    shape = (len(LINES), len(COLUMNS))
    x = COLUMNS[None].astype(np.float32)
    y = LINES[:, None].astype(np.float32)
    walls = np.stack([np.interp(LINES, ROWS, border) for border in heart.borders(0.0)])
    walls = walls.astype(np.float32)[..., None]
    length, roof = heart.length, heart.length + heart.la_length

    rough = levels.roughness * smooth_noise(rng, shape, 2.2)
    rough *= np.clip(1.15 - y / length, 0.5, 1.0)
    region = np.zeros(shape, np.uint8)
    for border, roughness in zip(walls[1:7], (0.3, 1.2, 0.2, 1.0, 1.0, 0.2)):
        region += (x + roughness * rough > border).view(np.uint8)
    wall, blood = 0.0, levels.blood
    table = np.array(
        [levels.outside, wall - 3, blood, wall + 1.5, blood, wall, levels.outside], np.float32
    )
    image = table[region]
    atrial = np.broadcast_to(y > length + 6, shape)
    image[atrial & ((region == 1) | (region == 5))] = wall - 2.0
    image[np.broadcast_to(y < -heart.apex, shape)] = levels.outside + 5.0

    def near(border: NDArray[np.float32], width: float) -> Image:
        return np.exp(-(((x - border) / width) ** 2))

    def blob(cx: float, cy: float, rx: float, ry: float) -> Image:
        return np.exp(-(((x - cx) / rx) ** 2)) * np.exp(-(((y - cy) / ry) ** 2))

    def at(border: int, place: float) -> float:
        return float(np.interp(place, LINES, walls[border, :, 0]))

    beside = ((y > 0.1 * length) & (y < roof)).astype(np.float32)
    image += levels.pericardium * near(walls[6] + 1.0, 1.6) * beside
    image += 3.0 * near(walls[1] - 1.0, 1.6) * beside
    ventricular = ((y > 0) & (y < length)).astype(np.float32)
    image += 3.0 * near(0.5 * (walls[3] + walls[4]), 3.0) * ventricular
    image += 2.0 * (near(walls[4], 1.4) + near(walls[5], 1.4)) * ventricular
    behind = np.clip((y - roof + 4 + 2.5 * smooth_noise(rng, shape, 9.0)) / 5.0, 0.0, 1.0)
    level = levels.posterior - 0.28 * np.maximum(y - roof - 8.0, 0.0)
    width = np.exp(-(((x - 0.5 * (at(2, roof - 15) + at(5, roof - 15))) / 62.0) ** 4))
    image += behind * (np.maximum(level * width - 16.0 * (1.0 - width), -40.0) - image)

    crux = 0.5 * (at(3, length) + at(4, length))
    image += 7.0 * blob(crux, length + 1.0, 4.0, 5.0)
    image += 5.0 * blob(at(5, length) + 3.0, length + 1.0, 3.5, 4.5)
    image -= 12.0 * blob(at(3, length + 20), length + rng.uniform(16, 24), 7.0, 7.0)
    drop = blob(at(6, 0.5 * length) - 3.0, rng.uniform(0.3, 0.6) * length, 14.0, 0.24 * length)
    image -= levels.lateral_dropout * drop

    side, place = at(5, 0.5 * length), rng.uniform(0.42, 0.62) * length
    muscle = blob(side - 3.5, place, 3.0, rng.uniform(7.0, 12.0))
    image = np.maximum(image, levels.papillary - 32.0 * (1.0 - np.minimum(1.0, 1.6 * muscle)))
    strands = 4.0 * smooth_noise(rng, shape, 2.5) - 11.0 - 0.6 * np.abs(y - 0.08 * length)
    inside = region == 4
    image = np.where(inside, np.maximum(image, strands), image)

    around = np.maximum(walls[1] - x, x - walls[6]).clip(0.0, 60.0)
    image -= levels.fading * around * (y < roof)
    patches = 0.5 * smooth_noise(rng, shape, 4.0) + smooth_noise(rng, shape, 13.0)
    image += levels.patchiness * patches
    amplitude = np.exp(image * np.float32(np.log(10.0) / 20.0))
    return cv2.GaussianBlur(amplitude.astype(np.float32), (0, 0), 0.9)
