"""Draw patients with ejection fractions, volumes and rhythms like those in EchoNet-Dynamic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: The six segments of an apical four-chamber view in HMC-QU's order: basal, mid and apical septum
#: (1, 2, 3), apical, mid and basal lateral wall (5, 6, 7).
SEGMENTS = ('SEG1', 'SEG2', 'SEG3', 'SEG5', 'SEG6', 'SEG7')

QUALITIES = ('Good', 'Medium', 'Poor')


@dataclass(frozen=True)
class Patient:
    """Target values of a patient and a recording.

    Args:
        ef (float): Ejection fraction in per cent.
        edv (float): End-diastolic volume in mL.
        heart_rate (float): Beats per minute, 45 to 120.
        fps (float): Frames per second, 30 to 80.
        num_frames (int): Length of the recording, 28 to 300.
        quality (str): 'Good', 'Medium' or 'Poor'.
        wall_motion (tuple[float]): Share of the normal contraction in each of :data:`SEGMENTS`:
            1 is normal, about 0.35 hypokinetic, 0 akinetic.
    """

    ef: float
    edv: float
    heart_rate: float
    fps: float
    num_frames: int
    quality: str
    wall_motion: tuple[float, ...]


def draw_ejection_fraction(rng: np.random.Generator) -> float:
    """Draw an ejection fraction like those of EchoNet-Dynamic: mean 55.8, sd 12.4, skewed left.

    A mixture of healthy and failing hearts also matches the published shares: 6 % below 30, 7 %
    from 30 to 40, 10 % from 40 to 50.
    """
    mean, sd = (61.2, 6.4) if rng.random() < 0.78 else (36.5, 10.5)
    return float(np.clip(rng.normal(mean, sd), 7.0, 97.0))


def draw_wall_motion(rng: np.random.Generator) -> tuple[float, ...]:
    """Draw an infarction: two to four neighbouring segments are hypokinetic or akinetic."""
    motion = np.clip(rng.normal(1.0, 0.03, len(SEGMENTS)), 0.9, 1.0)
    count = int(rng.integers(2, 5))
    first = int(rng.integers(0, len(SEGMENTS) - count + 1))
    motion[first : first + count] = rng.choice([0.0, 0.15, 0.35], size=count)
    return tuple(float(share) for share in motion)


def draw_patient(
    rng: np.random.Generator,
    *,
    ef: float | None = None,
    heart_rate: float | None = None,
    fps: float | None = None,
    num_frames: int | None = None,
    quality: str | None = None,
    infarction: bool = False,
    poor_share: float = 0.12,
) -> Patient:
    """Draw a patient with some values given; the drawn values do not depend on the given ones.

    See :class:`Patient` for the values.

    Args:
        infarction (bool): Whether to draw a regional wall-motion abnormality. Defaults to False.
        poor_share (float): Probability of poor image quality. Defaults to 0.12.
    """
    drawn_ef = draw_ejection_fraction(rng)
    drawn_rate = float(np.clip(rng.normal(68.0, 13.0), 45.0, 120.0))
    drawn_fps = 50.0 if rng.random() < 0.8 else float(np.clip(round(rng.normal(48, 11)), 30, 80))
    drawn_frames = int(np.clip(rng.lognormal(np.log(171), 0.26), 28, 300))
    drawn_quality = rng.choice(QUALITIES, p=(0.58, 0.42 - poor_share, poor_share))
    spread = rng.lognormal(0.0, 0.26)
    abnormal = draw_wall_motion(rng)

    ef = drawn_ef if ef is None else float(ef)
    if infarction:
        ef = min(ef, 58.0)
    dilation = 1.0 + 0.9 * np.clip(55.0 - ef, 0.0, 40.0) / 40.0
    return Patient(
        ef=ef,
        edv=float(np.clip(82.0 * dilation * spread, 35.0, 330.0)),
        heart_rate=drawn_rate if heart_rate is None else float(heart_rate),
        fps=drawn_fps if fps is None else float(fps),
        num_frames=drawn_frames if num_frames is None else int(num_frames),
        quality=str(drawn_quality) if quality is None else quality,
        wall_motion=abnormal if infarction else (1.0,) * len(SEGMENTS),
    )
