"""All frames of a data set in the memory of the device that trains."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from echocardmae_mm.datasets.sized_frames import SizedFrames
from echocardmae_mm.utils.errors import UserError


class ResidentFrames:
    """Frames of recordings, copied to a device when they are first asked for.

    Args:
        frames (SizedFrames): Where they are read from.
    """

    def __init__(self, frames: SizedFrames) -> None:
        self.frames = frames
        lengths = [frames.num_frames(name) for name in frames.names]
        ends = np.cumsum(lengths).tolist()
        self.first = dict(zip(frames.names, [0, *ends]))
        self.num_frames: int = ends[-1]
        self._on: dict[torch.device, Tensor] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), '_on': {}}

    def take(self, places: Tensor) -> Tensor:
        """Frames by their places.

        Args:
            places (Tensor): int64 of any shape, on the device; -1 stands for a black frame.

        Returns:
            Tensor: uint8 of shape (*places.shape, H, W, C).
        """
        if places.device not in self._on:
            self._on[places.device] = self._load(places.device)
        return self._on[places.device][places]

    def _load(self, device: torch.device) -> Tensor:
        # One more, so that index -1 is a black one.
        shape = (self.num_frames + 1, *self.frames.frame)
        size = int(np.prod(shape))
        if device.type == 'cuda' and size > (free := torch.cuda.mem_get_info(device)[0]):
            raise UserError(
                f"resident='device': the frames take {size / 1e9:.1f} GB and {device} has "
                f'{free / 1e9:.1f} GB free\nLeave resident out: they are then read batch by batch'
            )
        resident = torch.zeros(shape, dtype=torch.uint8, device=device)
        for name, first in self.first.items():
            indices = np.arange(self.frames.num_frames(name))
            recording = np.empty((len(indices), *self.frames.frame), np.uint8)
            self.frames.read(name, indices, recording)
            resident[first : first + len(recording)] = torch.from_numpy(recording)
        print_log(f'{self.num_frames} frames, {size / 1e9:.2f} GB, stay on {device}', 'current')
        return resident
