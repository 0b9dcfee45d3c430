"""Populations of phantoms: their anatomy, scanners and image quality."""

from __future__ import annotations

from dataclasses import dataclass, field

from echocardmae_mm.phantom.shapes import ShapeRange
from echocardmae_mm.utils.errors import UserError

Range = tuple[float, float]


@dataclass(frozen=True)
class Variant:
    """Ranges (low, high) from which a recording's anatomy, scanner and sector are drawn.

    Args:
        shapes (ShapeRange): Shapes of the hearts.
        axial_blur (tuple[float]): Sd of the point-spread function along the beam, in mm.
        lateral_blur (tuple[float]): Sd of the point-spread function across, in degrees.
        dynamic_range (tuple[float]): Displayed range in dB.
        gamma (tuple[float]): Exponent of the display curve.
        tint (tuple[float]): Factors of red, green and blue.
        half_angle (tuple[float]): Half of the sector's opening angle in degrees.
        near_radius (tuple[float]): Radius of the curved near field in mm.
        persistence (float): Weight of the previous frame, 0 to 1.
        smoothing (tuple[float]): Sd of the display's smoothing in samples.
        noise (float): Noise in dB, added to that of the quality level.
        brightness (tuple[float]): Position of average myocardium in the displayed range, 0 to 1.
        poor_share (float): Probability of poor quality.
    """

    shapes: ShapeRange = field(default_factory=ShapeRange)
    axial_blur: Range = (0.75, 1.15)
    lateral_blur: Range = (0.75, 1.2)
    dynamic_range: Range = (46.0, 58.0)
    gamma: Range = (1.25, 1.8)
    tint: tuple[float, float, float] = (0.985, 0.99, 1.0)
    half_angle: Range = (36.0, 46.0)
    near_radius: Range = (1.0, 4.0)
    persistence: float = 0.0
    smoothing: Range = (0.5, 1.0)
    noise: float = 0.0
    brightness: Range = (0.58, 0.76)
    poor_share: float = 0.12


VARIANTS = {
    'default': Variant(),
    'vendor_b': Variant(
        axial_blur=(1.1, 1.7),
        lateral_blur=(1.2, 1.8),
        dynamic_range=(60.0, 72.0),
        gamma=(0.8, 1.05),
        tint=(1.0, 0.94, 0.80),
        half_angle=(29.0, 52.0),
        near_radius=(5.0, 14.0),
        persistence=0.3,
        smoothing=(0.3, 0.6),
        noise=-6.0,
        brightness=(0.5, 0.64),
    ),
    'dilated': Variant(
        shapes=ShapeRange(
            sphericity=(0.64, 0.05),
            widest=(0.40, 0.56),
            blunt=(2.2, 3.2),
            bow=3.5,
            asymmetry=0.08,
            wall=7.6,
            revolution_share=0.1,
        ),
    ),
    'noisy': Variant(noise=6.0, poor_share=0.4),
}


def get_variant(name: str) -> Variant:
    """Look up a variant by its name; a UserError lists the names."""
    if name not in VARIANTS:
        raise UserError(f'variant={name!r} is unknown; choose from {", ".join(VARIANTS)}')
    return VARIANTS[name]
