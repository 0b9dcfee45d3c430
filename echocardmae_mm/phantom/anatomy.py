"""The heart in the apical four-chamber plane: its shape and its walls at any contraction.

Heart coordinates are in mm. The origin is the apex of the left ventricular cavity; y points along
the long axis to the mitral valve, x to the lateral wall (right in the image; the septum and the
right ventricle are on the left). A *row* is a line of constant y in the relaxed heart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echocardmae_mm.phantom.rhythm import smoothstep

Array = NDArray[np.float64]

#: Rows of the relaxed heart at which the walls are tabulated, in mm.
ROWS = np.arange(-60.0, 215.0, 0.5)

#: Distance from the axis beyond which tissue does not move, in mm.
FAR = 135.0

#: Number of disks in a volume, as in Simpson's rule.
NUM_DISKS = 200


@dataclass(frozen=True)
class Heart:
    """Dimensions of one relaxed heart, in mm unless stated otherwise.

    Args:
        length (float): Visible long axis of the left ventricle.
        width (float): Largest diameter of its cavity.
        widest (float): Position of the largest diameter along the axis, 0 apex to 1 mitral valve.
        annulus (float): Ratio of the diameter at the mitral valve to the largest diameter.
        blunt (float): Exponent of the apical half's superellipse; 2 is an ellipse.
        septal_share (float): Share of the diameter on the septal side of the axis.
        bow (float): Sideways bend of the cavity's midline.
        depth_ratio (float): Ratio of the diameter perpendicular to the image plane to that in it.
        foreshortening (float): Ratio of the visible to the true long axis.
        septum, lateral, apex (float): Wall thickness.
        shortening (float): Ratio of longitudinal to radial contraction.
        wall_motion (tuple[float]): Share of the normal contraction in the six segments.
        rv_width, rv_apex (float): Width of the right ventricle; its apex along the axis, 0 to 1.
        la_length, la_width, ra_width (float): Size of the atria.
    """

    length: float
    width: float
    widest: float
    annulus: float
    blunt: float
    septal_share: float
    bow: float
    depth_ratio: float
    foreshortening: float
    septum: float
    lateral: float
    apex: float
    shortening: float
    wall_motion: tuple[float, ...]
    rv_width: float
    rv_apex: float
    la_length: float
    la_width: float
    ra_width: float

    @property
    def is_revolution(self) -> bool:
        """Whether the cavity is an exact body of revolution about the visible long axis."""
        return (
            self.septal_share == 0.5
            and self.bow == 0.0
            and self.depth_ratio == self.foreshortening == 1.0
            and len(set(self.wall_motion)) == 1
        )

    def without_right_heart(self) -> Heart:
        """The same left heart without the right one, as in an apical two-chamber view."""
        return replace(self, rv_width=0.0, ra_width=0.0)

    def profile(self, s: Array) -> Array:
        """Relative half width of the cavity at ``s`` along the axis (0 apex, 1 mitral valve)."""
        apical = np.clip(1.0 - s / self.widest, 0.0, 1.0)
        basal = np.clip((s - self.widest) / (1.0 - self.widest), 0.0, None)
        power = self.blunt
        return (1.0 - apical**power) ** (1.0 / power) * (1.0 - (1.0 - self.annulus) * basal**2)

    def midline(self, s: Array, contraction: float) -> Array:
        """Offset of the cavity's midline from the straight long axis."""
        return self.bow * (1.0 - 0.4 * contraction) * np.sin(np.pi * np.clip(s, 0.0, 1.0))

    def long_axis(self, contraction: Any) -> tuple[Any, Any]:
        """Positions of the apex and of the mitral valve along y; mainly the base moves."""
        shortened = self.length * self.shortening * contraction * float(np.mean(self.wall_motion))
        return 0.12 * shortened, self.length - 0.88 * shortened

    def half_widths(self, s: Array, contraction: Array | float) -> tuple[Array, Array]:
        """Half widths of the cavity on its septal and lateral side; arguments are broadcast."""
        outline = self.width * self.profile(s)
        centres = np.array([0.17, 0.5, 0.83])
        septal = np.interp(s, centres, self.wall_motion[2::-1])
        lateral = np.interp(s, centres, self.wall_motion[3:])
        left = self.septal_share * outline * (1.0 - contraction * septal)
        right = (1.0 - self.septal_share) * outline * (1.0 - contraction * lateral)
        return left, right

    def volume(self, contraction: Array | float) -> Array:
        """True volume of the cavity in mL at each contraction: the sum of its elliptical disks."""
        contraction = np.atleast_1d(np.asarray(contraction, dtype=np.float64))
        s = (np.arange(NUM_DISKS) + 0.5) / NUM_DISKS
        left, right = self.half_widths(s, contraction[:, None])
        apex, base = self.long_axis(contraction)
        area = np.pi / 4.0 * self.depth_ratio * (left + right) ** 2
        return area.mean(axis=1) * (base - apex) / self.foreshortening / 1000.0

    def _chambers(self, contraction: float) -> list[Array]:
        """The six wall borders of each row, from the right heart to the lateral wall."""
        rows, s = ROWS, ROWS / self.length
        apex, base = self.long_axis(contraction)
        stretch = self.length / (base - apex)
        inside = np.clip(s, 0.0, 1.0)
        left, right = self.half_widths(inside, contraction)
        left, right = left * (s >= 0), right * (s >= 0)
        rest_left, rest_right = self.half_widths(inside, 0.0)

        def outer(half: Array, rest: Array, share: float, wall: float) -> Array:
            along = np.clip((rows + self.apex) / (self.length + self.apex), 0.0, 1.0)
            border = (share * self.width + wall) * self.profile(along)
            border = np.maximum(border, (rest + 0.6 * wall) * (s >= 0))
            return np.sqrt(half**2 + (border**2 - (rest * (s >= 0)) ** 2) * stretch)

        middle = self.midline(s, contraction)
        endo_left, endo_right = middle - left, middle + right
        epi_left = middle - outer(left, rest_left, self.septal_share, self.septum)
        epi_right = middle + outer(right, rest_right, 1 - self.septal_share, self.lateral)

        up = np.clip((s - self.rv_apex) / (1.0 - self.rv_apex), 0.0, 1.0)
        rv = self.rv_width * up**0.7 * (1.0 - 0.25 * up**3) * (1.0 - 0.75 * contraction * up)
        rv_endo = epi_left - rv
        rv_epi = rv_endo - 4.0 * (1.0 + contraction) * np.minimum(1.0, 8.0 * up)

        u = np.clip((rows - self.length) / self.la_length, 0.0, None)
        swell = 1.0 + 0.35 * contraction
        shift = smoothstep(u / 0.3)
        round_off = np.sqrt(np.clip(1.0 - np.clip((u - 0.35) / 0.65, 0.0, 1.0) ** 2.4, 0.0, 1.0))
        valve_left, valve_right = (np.interp(self.length, rows, e) for e in (endo_left, endo_right))
        centre = 0.5 * (valve_left + valve_right)
        septal = valve_left + (centre - 0.5 * self.la_width - valve_left) * shift
        lateral = valve_right + (centre + 0.5 * self.la_width - valve_right) * shift
        la_left = centre + (septal - centre) * swell * round_off
        la_right = centre + (lateral - centre) * swell * round_off
        thick_left = np.interp(self.length, rows, endo_left - epi_left)
        thick_right = np.interp(self.length, rows, epi_right - endo_right)
        ias_right = np.minimum(septal, la_left)
        ias = ias_right - thick_left + (thick_left - 3.0) * smoothstep(u / 0.2)
        rv_base = np.interp(self.length, rows, rv)
        ra = (rv_base + (self.ra_width * swell - rv_base) * shift) * round_off
        la_wall = la_right + thick_right + (3.0 - thick_right) * shift
        atria = [ias - ra - 4.0, ias - ra, ias, la_left, la_right, la_wall]
        ventricles = [rv_epi, rv_endo, epi_left, endo_left, endo_right, epi_right]
        return [np.where(u > 0, a, v) for a, v in zip(atria, ventricles)]

    @lru_cache(maxsize=64)  # noqa: B019 - a frozen value; the cache is small
    def borders(self, contraction: float) -> Array:
        """Tabulate the wall borders of each row.

        Returns:
            np.ndarray: (8, rows) x in mm, ascending: far tissue, the right heart's outer and inner
            wall, the septum's right and left face, the lateral wall's inner and outer face, far
            tissue.
        """
        far = np.full_like(ROWS, FAR)
        stack = np.stack([-far, *self._chambers(contraction), far])
        gap = 0.05 * np.arange(len(stack))[:, None]
        return np.maximum.accumulate(stack, axis=0) + gap

    def axial(self, contraction: float) -> tuple[Array, Array]:
        """Knots along y in the contracted heart, and their positions in the relaxed heart."""
        apex, base = self.long_axis(contraction)
        roof = self.length + self.la_length
        now = np.array([ROWS[0], -self.apex, apex, base, roof, ROWS[-1]])
        rest = np.array([ROWS[0], -self.apex, 0.0, self.length, roof, ROWS[-1]])
        return now, rest
