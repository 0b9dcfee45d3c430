"""Frames of a store's recordings, all of one size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from echocardmae_mm.datasets.recordings import PackedStore
from echocardmae_mm.utils.errors import UserError


class SizedFrames:
    """Reads frames into arrays; those of another size than the pipeline's are resized by it.

    Attributes:
        names (list[str]): The recordings that could be packed, by their names in the store.
        frame (tuple[int, int, int]): Height, width and channels of a frame; 1 channel where the
            store holds one of three equal ones.

    Args:
        store (PackedStore): Where frames are read from.
        names (Iterable[str]): The recordings.
        resize (Any, optional): The pipeline's ``Resize``. Defaults to None, all recordings have
            frames of one size.

    Raises:
        UserError: If the store does not hold a recording, or none could be packed, or their frames
            differ in size and nothing resizes them.
    """

    def __init__(self, store: PackedStore, names: Iterable[str], resize: Any | None = None) -> None:
        self.store = store
        self.names = [name for name in names if 'shape' in store.entry(name)]
        self._resize = resize
        shapes = {tuple(store.entry(name)['shape'][1:]): name for name in self.names}
        if not shapes:
            raise UserError(f'{store.folder}: none of the recordings could be packed')
        if resize is not None:
            width, height = resize.scale
            self.frame: tuple[int, int, int] = (height, width, next(iter(shapes))[2])
        elif len(shapes) == 1:
            (self.frame,) = shapes
        else:
            (one, first), (other, second) = list(shapes.items())[:2]
            raise UserError(
                f'{store.folder}: the frames of {first} are {one[0]} x {one[1]} pixels, those of '
                f'{second} {other[0]} x {other[1]}: put a Resize behind RecordingDecode'
            )

    def num_frames(self, name: str) -> int:
        """How many frames a recording has.

        Args:
            name (str): The recording.

        Returns:
            int: Its frames.
        """
        return int(self.store.entry(name)['shape'][0])

    def read(self, name: str, indices: np.ndarray, into: np.ndarray) -> None:
        """Read some frames of a recording.

        Args:
            name (str): The recording.
            indices (np.ndarray): Frames from 0, int64 of shape (T,); -1 stands for a black one.
            into (np.ndarray): uint8 of shape (T, *frame), contiguous, filled.
        """
        frames = self.store.view(name)
        if frames.shape[1:] == self.frame:
            np.take(frames, indices, axis=0, out=into, mode='clip')
        else:
            for index, frame in zip(indices, into):
                frame[:] = self._resized(frames[index])
        into[indices < 0] = 0

    def _resized(self, frame: np.ndarray) -> np.ndarray:
        assert self._resize is not None
        # Bicubic interpolation of one channel is not quite that of three.
        colours = np.broadcast_to(frame, (*frame.shape[:2], 3))
        results = {'imgs': [colours], 'img_shape': frame.shape[:2]}
        return self._resize.transform(results)['imgs'][0][..., : self.frame[2]]
