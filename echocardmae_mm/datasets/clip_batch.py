"""A batch of clips as it was read from a store, and what is left to do with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from torch import Tensor

from echocardmae_mm.datasets.resident_frames import ResidentFrames
from echocardmae_mm.registry import FUNCTIONS
from echocardmae_mm.utils.errors import UserError


class ClipBatch(NamedTuple):
    """Clips of B videos before the transforms that a device does for the whole batch.

    Args:
        clips (Tensor): uint8 of shape (M, B, T, H, W, C), the M-th clip of each video; C is 3, or 1
            of a store that holds one of three equal channels. With ``resident`` the places of
            their frames therein, int64 of shape (M, B, T).
        keys (Tensor): Whose draws they are, int64 of shape (B, 3).
        transforms (Sequence): What is left to do, each with a ``transform_batch``.
        resident (ResidentFrames, optional): Frames that the device holds. Defaults to None.
    """

    clips: Tensor
    keys: Tensor
    transforms: Sequence[Any]
    resident: ResidentFrames | None = None

    def prepare(self, move: Callable[[Tensor], Tensor]) -> dict[str, Any]:
        """Do it.

        Args:
            move (Callable): Moves a tensor to the device.

        Returns:
            dict: ``imgs``, uint8 of shape (M B, 3, T, H, W), all first clips before all second
            ones, ``keys``, and what the transforms add.
        """
        clips = move(self.clips)
        if self.resident is not None:
            clips = self.resident.take(clips)
        frames = clips.flatten(0, 1)
        imgs = frames.expand(*frames.shape[:-1], 3).movedim(-1, 1)
        batch: dict[str, Any] = {'imgs': imgs, 'keys': move(self.keys)}
        for transform in self.transforms:
            batch = transform.transform_batch(batch)
        return batch


class ReadBatch(dict):
    """What a data set with ``batched=True`` reads; it says so to who takes it for a list."""

    def __missing__(self, key: object) -> Any:
        raise UserError(
            "batched=True needs collate_fn=dict(type='echocardmae_mm.whole_batch') in the "
            'dataloader'
        )


@FUNCTIONS.register_module()
def whole_batch(batch: ReadBatch) -> ReadBatch:
    """Collate what a data set with ``batched=True`` reads: it is a batch already.

    Args:
        batch (ReadBatch): What its ``__getitems__`` returns.

    Returns:
        ReadBatch: The same.

    Raises:
        UserError: If it is anything else.
    """
    if not isinstance(batch, ReadBatch):
        raise UserError(
            'whole_batch collates what a data set with batched=True reads: set that, and let no '
            'RepeatDataset or ConcatDataset stand around it'
        )
    return batch
