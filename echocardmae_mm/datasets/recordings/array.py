"""A recording whose frames are in memory."""

from __future__ import annotations

import numpy as np

from echocardmae_mm.datasets.recordings.recording import Recording
from echocardmae_mm.utils.errors import RecordingError


class ArrayRecording(Recording):
    """Frames in memory, with the interface of a recording.

    Args:
        frames (np.ndarray): uint8 RGB of shape (T, H, W, 3), or grey of shape (T, H, W).
        filename (str): Name for messages. Defaults to 'array'.
        fps (float, optional): Frames per second. Defaults to None, unknown.
        spacing (tuple[float, float], optional): Height and width of a pixel in mm. Defaults to
            None, unknown.

    Raises:
        RecordingError: If the array has another shape or type, or no frame.
    """

    random_access = True

    def __init__(
        self,
        frames: np.ndarray,
        filename: str = 'array',
        fps: float | None = None,
        spacing: tuple[float, float] | None = None,
    ) -> None:
        if frames.ndim == 3:
            frames = frames[..., None]
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] not in (1, 3):
            raise RecordingError(
                filename,
                f'expected uint8 frames (T, H, W) or (T, H, W, 3), got {frames.dtype} '
                f'{frames.shape}',
            )
        super().__init__(filename, len(frames), fps, spacing)
        self._frames = frames

    def _decode(self, indices: np.ndarray) -> np.ndarray:
        return self._frames[indices]
