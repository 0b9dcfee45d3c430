"""Result of measuring one recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from echocardmae_mm.apis.framing import Framed
from echocardmae_mm.apis.measurements import Ventricle


class Flag(NamedTuple):
    """A doubt about a recording.

    Args:
        name (str): Such as 'no_beat'.
        text (str): Explanation of the doubt for people.
        refuses (bool): Whether no measurement is given.
    """

    name: str
    text: str
    refuses: bool


@dataclass
class Prediction:
    """The measurements of one recording, or the reason why it was refused.

    Attributes:
        values (dict[str, Any]): One row of ``results.csv``, without names.
        flags (list[Flag]): Doubts about the recording or its measurements.
        ventricle (Ventricle | None): Measurements of each frame and beat, with a segmentation.
        framed (Framed | None): The frames that the models saw.
        labels (np.ndarray | None): Labels of these frames, uint8 of shape (T, H, W).
        classes (tuple[str, ...]): Names of the labels, the background first.
        palette (list[list[int]]): RGB of the labels.
        fps (float | None): Frames per second.
        features (np.ndarray | None): Features, by :class:`EchoEmbedder`.
    """

    values: dict[str, Any]
    flags: list[Flag] = field(default_factory=list)
    ventricle: Ventricle | None = None
    framed: Framed | None = None
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    palette: list[list[int]] = field(default_factory=list)
    fps: float | None = None
    features: np.ndarray | None = None

    @property
    def is_measured(self) -> bool:
        """Whether at least one measurement is given."""
        return self.values['status'] == 'measured'
