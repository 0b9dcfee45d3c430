"""Kinds of pictures that a sector is shown in: crops, stills' sizes, whole vendor screens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import EchoError
from .field_of_view import FieldOfView


@dataclass(frozen=True)
class Screen:
    """A kind of picture.

    Args:
        name (str): Its name.
        size (tuple[int]): Height and width in pixels.
        grid (tuple[int]): Beams, and samples along a beam, that it is formed from.
        masked (bool): EchoNet-Dynamic's crop with its template mask. Defaults to False.
        box (tuple[float]): Part (left, top, right, bottom, shares of the size) for the sector.
        aspect (float): Height over width of a pixel in mm. Defaults to 1.
    """

    name: str
    size: tuple[int, int]
    grid: tuple[int, int]
    masked: bool = False
    box: tuple[float, float, float, float] = (0.02, 0.02, 0.98, 0.98)
    aspect: float = 1.0

    def decorate(
        self,
        rng: np.random.Generator,
        frames: NDArray[np.uint8],
        position: NDArray[np.float64],
        view: FieldOfView,
    ) -> None:
        """Draw what a screen shows beside the sector, in place."""


SCREENS = {
    screen.name: screen
    for screen in (
        Screen('echonet', (112, 112), (104, 160), masked=True),
        Screen('whole', (112, 112), (104, 160)),
        Screen('camus', (512, 640), (160, 288), aspect=0.5),
        Screen('hmcqu', (422, 636), (144, 288), box=(0.1, 0.05, 0.9, 0.97)),
        Screen('vendor', (768, 1024), (160, 320), box=(0.12, 0.1, 0.88, 0.9)),
    )
}


def get_screen(name: str) -> Screen:
    """Look up a kind of picture by its name.

    Raises:
        EchoError: There is none of that name.
    """
    if name not in SCREENS:
        raise EchoError(f"no phantom screen '{name}': choose from {', '.join(SCREENS)}")
    return SCREENS[name]
