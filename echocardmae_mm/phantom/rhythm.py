"""Draw heartbeats: R waves, ventricular filling, valve opening and drift of the probe."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def smoothstep(x: Array) -> Array:
    """Rise from 0 at x <= 0 to 1 at x >= 1 with flat ends."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def _bump(x: Array) -> Array:
    return np.sin(np.pi * np.clip(x, 0.0, 1.0)) ** 2


@dataclass(frozen=True)
class Rhythm:
    """The beats of a recording; all arrays have one entry per frame.

    Args:
        beat (np.ndarray): Index of the frame's beat, int.
        phase (np.ndarray): Time since the beat's R wave as a share of the beat, 0 to 1.
        filling (np.ndarray): Filling of the ventricle: 1 end-diastole, 0 end-systole.
        opening (np.ndarray): Opening of the atrioventricular valves, 0 to 1.
        systole (np.ndarray): Systole as a share of the beat.
    """

    beat: NDArray[np.int64]
    phase: Array
    filling: Array
    opening: Array
    systole: Array

    def __getitem__(self, frames: slice) -> Rhythm:
        return Rhythm(*(getattr(self, part.name)[frames] for part in fields(self)))


def draw_rhythm(rng: np.random.Generator, heart_rate: float, fps: float, num_frames: int) -> Rhythm:
    """Draw the beats of a recording, with RR intervals that vary by about 3 %.

    The share of systole depends on the heart rate as in real hearts. Filling has early (E) and
    atrial (A) waves with diastasis in between; at high rates the waves fuse. A recording shorter
    than two beats starts shortly before an R wave, so it contains a whole systole.
    """
    mean_rr = 60.0 / heart_rate
    duration = num_frames / fps
    start = rng.uniform(0.0, 1.0) if duration > 2.2 * mean_rr else rng.uniform(-0.08, -0.03)
    early_share, jitter = rng.uniform(0.58, 0.8), rng.uniform(0.01, 0.045)
    count = int(duration / mean_rr * 1.4) + 4
    rr = mean_rr * np.clip(rng.normal(1.0, jitter, count), 0.85, 1.15)
    r_waves = np.concatenate([[0.0], np.cumsum(rr)]) - rr[0] - start * mean_rr

    time = np.arange(num_frames) / fps
    beat = np.clip(np.searchsorted(r_waves, time, side='right') - 1, 0, count - 1)
    length = rr[beat]
    tau = time - r_waves[beat]
    ejection_end = length * np.clip(0.49 - 0.115 * length, 0.30, 0.44)
    early_start = ejection_end + 0.065
    diastole = length - early_start
    early = np.minimum(0.20, 0.5 * diastole)
    atrial = np.minimum(0.14, 0.4 * diastole)
    atrial_start = length - 0.015 - atrial

    ejected = smoothstep((tau - 0.045) / (ejection_end - 0.045))
    early_wave = (tau - early_start) / early
    atrial_wave = (tau - atrial_start) / atrial
    filling = (
        1.0
        - ejected
        + early_share * smoothstep(early_wave)
        + (1.0 - early_share) * smoothstep(atrial_wave)
    )
    ajar = smoothstep(early_wave * 2.0) * smoothstep((length + 0.02 - tau) / (0.8 * atrial))
    opening = np.maximum.reduce(
        [0.3 * ajar, _bump(0.1 + 0.8 * early_wave) * ajar, 0.7 * _bump(atrial_wave) * ajar]
    )
    return Rhythm(beat, tau / length, filling, opening, ejection_end / length)


def draw_drift(rng: np.random.Generator, fps: float, num_frames: int) -> tuple[Array, Array]:
    """Draw the motion of the heart under the probe due to breathing and the operator's hand.

    Returns:
        tuple[np.ndarray]: Shift along the beams in mm and rotation about the probe in radians, one
        entry per frame.
    """
    time = np.arange(num_frames) / fps
    depth, turn = rng.uniform(0.0, 2.2), np.deg2rad(rng.uniform(0.0, 1.6))
    rate, phase = rng.uniform(0.18, 0.33), rng.uniform(0.0, 2 * np.pi, 2)
    along = depth * np.sin(2 * np.pi * rate * time + phase[0])
    across = turn * np.sin(2 * np.pi * rate * 0.9 * time + phase[1])
    return along, across
