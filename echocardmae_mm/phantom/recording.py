"""Generate one synthetic recording with its truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from echocardmae_mm.phantom.acquisition import draw_acquisition_settings
from echocardmae_mm.phantom.anatomy import Heart
from echocardmae_mm.phantom.beam_grid import BeamGrid
from echocardmae_mm.phantom.beating_heart import BeatingHeart
from echocardmae_mm.phantom.echogenicity import echogenicity
from echocardmae_mm.phantom.motion_table import MotionTable
from echocardmae_mm.phantom.overlays import decorate
from echocardmae_mm.phantom.patient import Patient, draw_patient
from echocardmae_mm.phantom.probe_placement import place
from echocardmae_mm.phantom.rhythm import Rhythm, draw_drift, draw_rhythm
from echocardmae_mm.phantom.scanner import Scanner
from echocardmae_mm.phantom.scatterers import scatterers
from echocardmae_mm.phantom.screen import get_screen
from echocardmae_mm.phantom.shapes import contraction_for, draw_heart
from echocardmae_mm.phantom.variants import get_variant


@dataclass(frozen=True)
class Phantom:
    """A synthetic apical four-chamber recording and its truth.

    Args:
        frames (np.ndarray): (T, H, W, 3) uint8 RGB.
        fps (float): Frames per second.
        labels (np.ndarray): (T, H, W) uint8: 0 background, 1 left ventricle, 2 its wall, 3 left
            atrium, as in CAMUS.
        volumes (np.ndarray): (T,) true volume of the left ventricle in mL.
        ed (int): End-diastolic frame of the traced beat, with the largest volume.
        es (int): End-systolic frame of the traced beat, with the smallest volume.
        sector_mask (np.ndarray): (H, W) bool, pixels in the sector.
        spacing (tuple[float]): Height and width of a pixel in mm.
        patient (Patient): The patient.
        heart (BeatingHeart): The motion, to track points and trace frames.
        r_waves (np.ndarray): Frames with an R wave.
    """

    frames: NDArray[np.uint8]
    fps: float
    labels: NDArray[np.uint8]
    volumes: NDArray[np.float64]
    ed: int
    es: int
    sector_mask: NDArray[np.bool_]
    spacing: tuple[float, float]
    patient: Patient
    heart: BeatingHeart
    r_waves: NDArray[np.int64]

    @property
    def edv(self) -> float:
        """End-diastolic volume in mL."""
        return float(self.volumes[self.ed])

    @property
    def esv(self) -> float:
        """End-systolic volume in mL."""
        return float(self.volumes[self.es])

    @property
    def ef(self) -> float:
        """Ejection fraction from the volumes, in per cent."""
        return 100.0 * (self.edv - self.esv) / self.edv

    @property
    def lv_masks(self) -> NDArray[np.bool_]:
        """Pixels of the left ventricle's cavity in each frame, (T, H, W) bool."""
        return self.labels == 1

    @property
    def infarcted(self) -> bool:
        """Whether the motion of any segment is abnormal, the label of HMC-QU."""
        return min(self.patient.wall_motion) < 0.7

    @property
    def shape_class(self) -> str:
        """'revolution' for an exact body of revolution, otherwise 'free'."""
        return 'revolution' if self.heart.heart.is_revolution else 'free'


def traced_beat(
    rng: np.random.Generator, rhythm: Rhythm, volumes: NDArray[np.float64]
) -> tuple[int, int]:
    """Choose a beat that the recording contains completely.

    Returns:
        tuple[int]: The frames of the largest and of the smallest volume in that beat.
    """
    position = rhythm.beat + rhythm.phase
    choices = []
    for beat in np.unique(rhythm.beat):
        systole = float(np.median(rhythm.systole[rhythm.beat == beat]))
        window = np.flatnonzero((position > beat - 0.1) & (position < beat + systole + 0.1))
        whole = position[0] <= beat + 0.06 and position[-1] >= beat + systole + 0.02
        if whole and len(window):
            choices.append(window)
    frames = choices[int(rng.integers(len(choices)))] if choices else np.arange(len(volumes))
    return int(frames[np.argmax(volumes[frames])]), int(frames[np.argmin(volumes[frames])])


def _contractions(
    rng: np.random.Generator, patient: Patient, rhythm: Rhythm, heart: Heart
) -> NDArray[np.float64]:
    """Draw the contraction in each frame; its depth varies by about 1.5 % between beats."""
    end_systolic = patient.edv * (1.0 - patient.ef / 100.0)
    deepest = contraction_for(heart, np.array([end_systolic]))
    beats = 1.0 + rng.normal(0.0, 0.015, int(rhythm.beat.max()) + 1)
    return np.clip(deepest * (1.0 - rhythm.filling) * beats[rhythm.beat], 0.0, 0.97)


def make_phantom(
    seed: int | Sequence[int],
    variant: str = 'default',
    *,
    screen: str = 'echonet',
    view: str = '4ch',
    only_systole: bool = False,
    patient: Patient | None = None,
    **wanted: Any,
) -> Phantom:
    """Draw a heart and simulate its scan. Equal arguments give equal pixels.

    Args:
        seed (int | Sequence[int]): Seed, or a path of seeds such as (seed, data set, recording).
        variant (str): Population and scanner, a key of :data:`VARIANTS`. Defaults to 'default'.
        screen (str): Kind of picture, a key of :data:`SCREENS`: EchoNet-Dynamic's masked
            112 x 112 crop, or one that shows the whole sector. Defaults to 'echonet'.
        view (str): '4ch', or '2ch' for a view without the right heart. Defaults to '4ch'.
        only_systole (bool): Whether to keep only the frames from end-diastole to end-systole of the
            traced beat, as in CAMUS. Defaults to False.
        patient (Patient, optional): The patient. Defaults to None, drawn by :func:`draw_patient`.
        wanted: Values that :func:`draw_patient` must keep: ``ef``, ``heart_rate``, ``fps``,
            ``num_frames``, ``quality``, ``infarction``.

    Raises:
        UserError: If the variant or the screen does not exist.
    """
    population, picture = get_variant(variant), get_screen(screen)
    streams = np.random.SeedSequence(seed).spawn(6)
    person, shape, motion, window, matter, machine = map(np.random.default_rng, streams)
    if patient is None:
        patient = draw_patient(person, poor_share=population.poor_share, **wanted)
    anatomy = draw_heart(shape, patient, population.shapes)
    if view == '2ch':
        anatomy = anatomy.without_right_heart()
    rhythm = draw_rhythm(motion, patient.heart_rate, patient.fps, patient.num_frames)
    contraction = _contractions(motion, patient, rhythm, anatomy)
    ed, es = traced_beat(motion, rhythm, anatomy.volume(contraction))
    along, across = draw_drift(motion, patient.fps, patient.num_frames)
    if only_systole:
        kept = slice(ed, es + 1)
        rhythm = rhythm[kept]
        contraction, along, across = contraction[kept], along[kept], across[kept]
        ed, es = 0, es - ed

    sector, pose = place(window, population, anatomy, picture)
    heart = BeatingHeart(anatomy, pose, sector, contraction, along, across)
    settings = draw_acquisition_settings(machine, population, patient.quality)
    amplitude = echogenicity(matter, anatomy, settings.tissue)
    real, imaginary = scatterers(matter)
    grid = BeamGrid(sector, *picture.grid)
    table = MotionTable(grid, anatomy, pose, contraction)
    scanner = Scanner(table, settings, (real * amplitude, imaginary * amplitude), machine)
    frames = _scan(scanner, heart, rhythm)
    if picture.decoration:
        decorate(machine, frames, rhythm.beat + rhythm.phase, sector, picture.decoration)
    return Phantom(
        frames=frames,
        fps=patient.fps,
        labels=heart.labels(),
        volumes=heart.volumes,
        ed=ed,
        es=es,
        sector_mask=sector.mask,
        spacing=sector.spacing,
        patient=patient,
        heart=heart,
        r_waves=np.flatnonzero(np.diff(rhythm.beat, prepend=rhythm.beat[0])),
    )


def _scan(scanner: Scanner, heart: BeatingHeart, rhythm: Rhythm) -> NDArray[np.uint8]:
    """Simulate and tint every frame, (T, H, W, 3) uint8 RGB."""
    curves = scanner.grid.indices(heart.leaflet_curves(rhythm.opening))
    ramp = 255.0 * (np.arange(256)[:, None] / 255.0) ** scanner.settings.gamma
    table = np.rint(ramp * scanner.settings.tint).astype(np.uint8)  # (256, 3)
    shown = heart.view.mask.astype(np.uint8) * 255
    frames = np.empty((len(heart), *heart.view.size, 3), np.uint8)
    motion = zip(heart.contraction.tolist(), heart.along.tolist(), heart.across.tolist(), curves)
    for index, state in enumerate(motion):
        power = scanner.envelope_power(index, *state)
        grey = cv2.bitwise_and(scanner.display(power), shown)
        cv2.LUT(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), table[None], frames[index])
    return frames
