"""What every recording can say about itself, and how its frames are asked for."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from echocardmae_mm.utils.errors import RecordingError


class Recording(ABC):
    """One recording, opened.

    Opening finds out the number of frames that can be decoded; pixels are decoded when asked for. A
    recording belongs to the sample that it was opened for: it is neither pickled nor kept.

    Args:
        filename (str): The file.
        num_frames (int): Number of frames that can be decoded.
        fps (float, optional): Frames a second. Anything that is not above 0 and finite counts as
            unknown. Defaults to None.
        spacing (tuple[float, float], optional): Height and width of a pixel in mm. Defaults to
            None.
        region (tuple[int, int, int, int], optional): Where the ultrasound image lies on the screen:
            left, top, right, bottom in pixels, right and bottom exclusive. Defaults to None.

    Raises:
        RecordingError: If there is no frame.
    """

    def __init__(
        self,
        filename: str,
        num_frames: int,
        fps: float | None = None,
        spacing: tuple[float, float] | None = None,
        region: tuple[int, int, int, int] | None = None,
    ) -> None:
        if num_frames < 1:
            raise RecordingError(filename, 'no frame can be decoded')
        self.filename = filename
        self.num_frames = num_frames
        self.fps = float(fps) if fps and math.isfinite(fps) and fps > 0 else None
        self.spacing = spacing
        self.region = region

    def __len__(self) -> int:
        return self.num_frames

    def frames(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Decode some frames.

        Args:
            indices (Sequence[int]): Frames from 0, in any order, each as often as wanted.

        Returns:
            np.ndarray: uint8 RGB of shape (len(indices), H, W, 3).

        Raises:
            IndexError: If the recording has no such frame.
            RecordingError: If a frame is damaged.
        """
        wanted = np.asarray(indices, dtype=np.int64)
        if wanted.size and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise IndexError(
                f'{self.filename} has frames 0 to {len(self) - 1}; '
                f'asked for {wanted.min()} to {wanted.max()}'
            )
        distinct, place = np.unique(wanted, return_inverse=True)
        decoded = self._decode(distinct)
        if len(distinct) == len(wanted) and np.array_equal(distinct, wanted):
            return decoded
        return decoded[place]

    @abstractmethod
    def _decode(self, indices: np.ndarray) -> np.ndarray:
        """Frames in rising order, each once: uint8 RGB of shape (len(indices), H, W, 3)."""
