"""Draw heart shapes of a given volume, and find the contraction for each volume."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from echocardmae_mm.phantom.anatomy import Heart
from echocardmae_mm.phantom.patient import Patient

#: Contractions at which volumes are tabulated, to invert them.
CONTRACTIONS = np.linspace(0.0, 0.97, 120)


@dataclass(frozen=True)
class ShapeRange:
    """The variation of hearts in one population.

    Args:
        sphericity (tuple[float]): Mean and sd of the ratio of largest diameter to true long axis.
        widest (tuple[float]): Smallest and largest position of the largest diameter on the axis.
        blunt (tuple[float]): Smallest and largest exponent of the apex.
        bow (float): Sd of the bend of the midline in mm.
        asymmetry (float): Sd of the septal share of the diameter around 0.5.
        wall (float): Mean wall thickness in mm.
        revolution_share (float): Probability of an exact body of revolution.
    """

    sphericity: tuple[float, float] = (0.50, 0.045)
    widest: tuple[float, float] = (0.48, 0.68)
    blunt: tuple[float, float] = (1.75, 2.7)
    bow: float = 2.2
    asymmetry: float = 0.05
    wall: float = 9.3
    revolution_share: float = 0.25


def draw_heart(rng: np.random.Generator, patient: Patient, shapes: ShapeRange) -> Heart:
    """Draw a heart with the patient's end-diastolic volume.

    Hearts with a low ejection fraction are rounder and have thinner walls. A heart with a regional
    wall-motion abnormality is never a body of revolution.
    """
    weakness = float(np.clip((50.0 - patient.ef) / 40.0, 0.0, 1.0))
    ratio = rng.normal(*shapes.sphericity) + 0.10 * weakness
    revolution = rng.random() < shapes.revolution_share and len(set(patient.wall_motion)) == 1
    wall = rng.normal(shapes.wall, 1.0) * (1.0 - 0.18 * weakness)
    heart = Heart(
        length=1.0,
        width=float(np.clip(ratio, 0.36, 0.80)),
        widest=rng.uniform(*shapes.widest),
        annulus=float(np.clip(rng.normal(0.70, 0.06) - 0.05 * weakness, 0.52, 0.86)),
        blunt=rng.uniform(*shapes.blunt),
        septal_share=0.5 + rng.normal(0.0, shapes.asymmetry),
        bow=rng.normal(0.0, shapes.bow),
        depth_ratio=float(np.clip(rng.normal(1.0, 0.08), 0.8, 1.25)),
        foreshortening=float(1.0 - np.abs(rng.normal(0.0, 0.07)).clip(0.0, 0.2)),
        septum=wall * rng.uniform(0.92, 1.15),
        lateral=wall * rng.uniform(0.88, 1.08),
        apex=wall * rng.uniform(0.55, 0.85),
        shortening=rng.uniform(0.40, 0.62),
        wall_motion=patient.wall_motion,
        rv_width=rng.uniform(23.0, 38.0) + 4.0 * weakness,
        rv_apex=rng.uniform(0.12, 0.34),
        la_length=rng.uniform(36.0, 52.0) + 5.0 * weakness,
        la_width=rng.uniform(33.0, 44.0) + 5.0 * weakness,
        ra_width=rng.uniform(27.0, 38.0),
    )
    if revolution:
        heart = replace(heart, septal_share=0.5, bow=0.0, depth_ratio=1.0, foreshortening=1.0)
    unit = replace(heart, bow=0.0, width=heart.width / heart.foreshortening)
    scale = float((patient.edv / unit.volume(0.0)[0]) ** (1.0 / 3.0))
    width = unit.width * scale
    la_width = max(heart.la_width, 0.8 * heart.annulus * width)
    return replace(heart, length=scale, width=width, la_width=la_width)


def contraction_for(heart: Heart, volumes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the contraction for each volume (mL), by inverting the heart's volumes."""
    return np.interp(-volumes, -heart.volume(CONTRACTIONS), CONTRACTIONS)
