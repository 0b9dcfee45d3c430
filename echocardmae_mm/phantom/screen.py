"""Kinds of pictures with a sector: a masked crop, whole sectors and scanner screens."""

from __future__ import annotations

from dataclasses import dataclass

from echocardmae_mm.utils.errors import UserError


@dataclass(frozen=True)
class Screen:
    """A kind of picture.

    Args:
        size (tuple[int]): Height and width in pixels.
        grid (tuple[int]): Number of beams, and of samples along a beam.
        masked (bool): Whether it is EchoNet-Dynamic's crop with its template mask. Defaults to
            False.
        box (tuple[float]): Bounds of the sector (left, top, right, bottom, as shares of the size).
        aspect (float): Ratio of a pixel's height to its width in mm. Defaults to 1.
        decoration (float): Probability of each overlay (caption, ECG, ...). Defaults to 0.
    """

    size: tuple[int, int]
    grid: tuple[int, int]
    masked: bool = False
    box: tuple[float, float, float, float] = (0.02, 0.02, 0.98, 0.98)
    aspect: float = 1.0
    decoration: float = 0.0


SCREENS = {
    'echonet': Screen((112, 112), (104, 160), masked=True),
    'whole': Screen((112, 112), (104, 160), decoration=0.15),
    'camus': Screen((640, 448), (144, 288), aspect=0.5),
    'hmcqu': Screen((422, 636), (144, 288), box=(0.1, 0.05, 0.9, 0.97), decoration=0.5),
    'portable': Screen((240, 320), (128, 200), box=(0.1, 0.06, 0.9, 0.97), decoration=0.6),
    'clip': Screen((480, 640), (144, 288), box=(0.08, 0.04, 0.92, 0.97), decoration=0.6),
    'vendor': Screen((768, 1024), (160, 320), box=(0.12, 0.08, 0.88, 0.9), decoration=0.85),
}


def get_screen(name: str) -> Screen:
    """Look up a kind of picture by its name; a UserError lists the names."""
    if name not in SCREENS:
        raise UserError(f'screen={name!r} is unknown; choose from {", ".join(SCREENS)}')
    return SCREENS[name]
