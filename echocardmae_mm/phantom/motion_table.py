"""Tabulate once which tissue lies under each beam sample, and look it up in every frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from echocardmae_mm.phantom.anatomy import Heart
from echocardmae_mm.phantom.beam_grid import BeamGrid
from echocardmae_mm.phantom.deformation import to_rest
from echocardmae_mm.phantom.field_of_view import Pose
from echocardmae_mm.phantom.scatterers import COLUMNS, LINES, STEP, Image

#: Number of contractions at which the motion is tabulated; it is interpolated in between.
NUM_LEVELS = 10

#: The motion is computed at every second beam and sample, and interpolated.
COARSE = 2

#: Beams and samples around the field of view from which the drifting heart enters.
MARGIN = 8


class MotionTable:
    """Maps from beam samples to the material grid of the relaxed heart.

    Args:
        grid (BeamGrid): Sampling of the field of view.
        heart (Heart): The heart.
        pose (Pose): Position and orientation of the heart under the probe.
        contractions (np.ndarray): Contraction of every frame; the ``levels`` of the table span
            their range.
    """

    def __init__(
        self, grid: BeamGrid, heart: Heart, pose: Pose, contractions: NDArray[np.float64]
    ) -> None:
        self.grid = grid
        self.levels = np.linspace(contractions.min(), contractions.max() + 1e-6, NUM_LEVELS)
        fine = [size + 2 * MARGIN for size in grid.shape]
        line, column = (np.mgrid[: fine[0], : fine[1]] / COARSE).astype(np.float32)
        place = pose.to_heart(grid.points(MARGIN, COARSE))
        x, y = np.ascontiguousarray(place.reshape(-1, 2).T)

        def refine(values: NDArray[np.float64], first: float) -> Image:
            coarse = ((values - first) / STEP).astype(np.float32).reshape(place.shape[:2])
            return cv2.remap(
                coarse, column, line, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )

        self._maps: list[tuple[Image, Image]] = []
        for level in self.levels:
            across, along = to_rest(heart, x, y, float(level))
            self._maps.append((refine(across, COLUMNS[0]), refine(along, LINES[0])))

    def lookup(self, contraction: float, along: float, across: float) -> tuple[Image, Image]:
        """Look up the column and line of the material grid under each beam sample.

        Args:
            contraction (float): Contraction of the heart, within the tabulated range.
            along (float): Drift along the beams in mm.
            across (float): Drift about the probe in radians.

        Returns:
            tuple[np.ndarray]: Two (beams, samples) float32 maps for :func:`cv2.remap`.
        """
        place = (contraction - self.levels[0]) / (self.levels[1] - self.levels[0])
        low = min(int(place), NUM_LEVELS - 2)
        weight = place - low
        sample = MARGIN - along / self.grid.radius_step
        beam = MARGIN - across / self.grid.angle_step
        first_sample, first_beam = int(np.floor(sample)), int(np.floor(beam))
        sample, beam = sample - first_sample, beam - first_beam
        beams, samples = self.grid.shape
        window = (
            slice(first_beam, first_beam + beams + 1),
            slice(first_sample, first_sample + samples + 1),
        )

        def move(before: Image, after: Image) -> Image:
            part = cv2.addWeighted(before[window], 1 - weight, after[window], weight, 0)
            part = cv2.addWeighted(part[:, :-1], 1 - sample, part[:, 1:], sample, 0)
            return cv2.addWeighted(part[:-1], 1 - beam, part[1:], beam, 0)

        (column, line), (next_column, next_line) = self._maps[low], self._maps[low + 1]
        return move(column, next_column), move(line, next_line)
