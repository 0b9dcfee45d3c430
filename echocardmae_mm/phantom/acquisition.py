"""Settings of the scanner and quality of the acoustic window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from echocardmae_mm.phantom.echogenicity import Echogenicity
from echocardmae_mm.phantom.variants import Variant

_QUALITY = {'Good': 0.0, 'Medium': 1.0, 'Poor': 2.2}


@dataclass(frozen=True)
class AcquisitionSettings:
    """Settings of one recording; levels are in dB relative to average myocardium.

    Args:
        axial_blur (float): Sd of the point-spread function along the beam in mm.
        lateral_blur (float): Sd of the point-spread function across the beams in degrees.
        noise (float): Level of the receiver noise at the surface.
        noise_slope (float): Increase of the noise with depth due to gain compensation, dB per mm.
        clutter (float): Level of the stationary near-field clutter at the surface.
        clutter_reach (float): Depth over which the clutter falls by 10 dB, in mm.
        haze (float): Level of stationary haze in the cavities.
        attenuation (float): Attenuation that the gain does not compensate, dB per mm.
        edge (float): Loss at the edges of the sector.
        unevenness (float): Sd of slow gain variations over the sector.
        shadows (int): Number of shadows along beams.
        shadow (float): Depth of a shadow in dB.
        dynamic_range (float): Displayed range.
        brightness (float): Position of average myocardium in the displayed range, 0 to 1.
        gamma (float): Exponent of the display curve.
        tint (tuple[float]): Factors of red, green and blue.
        persistence (float): Weight of the previous frame.
        smoothing (float): Sd of the display's smoothing of the squared envelope, in samples.
        tissue (Echogenicity): Levels of the tissues.
    """

    axial_blur: float
    lateral_blur: float
    noise: float
    noise_slope: float
    clutter: float
    clutter_reach: float
    haze: float
    attenuation: float
    edge: float
    unevenness: float
    shadows: int
    shadow: float
    dynamic_range: float
    brightness: float
    gamma: float
    tint: tuple[float, float, float]
    persistence: float
    smoothing: float
    tissue: Echogenicity


def draw_acquisition_settings(
    rng: np.random.Generator, variant: Variant, quality: str
) -> AcquisitionSettings:
    """Draw scanner settings and an acoustic window for a quality level."""
    bad = _QUALITY[quality]
    return AcquisitionSettings(
        axial_blur=rng.uniform(*variant.axial_blur),
        lateral_blur=rng.uniform(*variant.lateral_blur),
        noise=rng.uniform(-44.0, -38.0) + 5.0 * bad + variant.noise,
        noise_slope=rng.uniform(0.02, 0.08),
        clutter=rng.uniform(-7.0, 1.0) + 2.5 * bad,
        clutter_reach=rng.uniform(11.0, 22.0) + 4.0 * bad,
        haze=rng.uniform(-30.0, -20.0) + 3.5 * bad,
        attenuation=rng.uniform(-0.01, 0.05) + 0.01 * bad,
        edge=rng.uniform(5.0, 14.0) + 2.0 * bad,
        unevenness=1.5,
        shadows=int(rng.poisson(0.6 + 1.2 * bad)),
        shadow=rng.uniform(7.0, 16.0) + 3.0 * bad,
        dynamic_range=rng.uniform(*variant.dynamic_range),
        brightness=rng.uniform(*variant.brightness) - 0.02 * bad + rng.normal(0.0, 0.03),
        gamma=rng.uniform(*variant.gamma),
        tint=variant.tint,
        persistence=variant.persistence,
        smoothing=rng.uniform(*variant.smoothing),
        tissue=Echogenicity(
            blood=rng.uniform(-38.0, -30.0),
            outside=rng.uniform(-18.0, -9.0),
            pericardium=rng.uniform(4.0, 9.0),
            posterior=rng.uniform(3.0, 9.0),
            lateral_dropout=rng.uniform(2.0, 12.0) + 4.0 * bad,
            roughness=rng.uniform(0.4, 1.4),
            papillary=rng.uniform(-14.0, -2.0),
            patchiness=rng.uniform(2.5, 4.5),
            fading=rng.uniform(0.1, 0.6),
        ),
    )
