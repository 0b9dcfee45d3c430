"""From a collated batch of clip pairs to what the model computes with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from echocardmae_mm.errors import EchoError
from echocardmae_mm.registry import MODELS

WHO_ADDS = {
    'imgs': "mmaction.FormatShape(input_format='NCTHW')",
    'target': "DenoisedTarget (method='none' for the clip itself)",
    'sector': 'SectorMask',
    'masked': 'SectorMask',
}
VISIBLE, MASKED, BACKGROUND = 0, 1, 2


@MODELS.register_module()
class ClipPairPreprocessor(BaseDataPreprocessor):
    """Stacks clip pairs, moves them to the device, normalises them and turns masks into indices.

    Frames travel to the device as they were decoded (uint8). A batch of B videos becomes 2B clips:
    all first clips, then all second clips, so that ``x.chunk(2)`` are the pairs.

    Args:
        mean (Sequence[float]): Mean of R, G and B on the scale 0-255.
        std (Sequence[float]): Standard deviation of R, G and B on the scale 0-255.
        pad_masked (bool): Whether videos may differ in the size of their sector
            (``SectorMask(sector='auto')``): ``masked`` is then filled up with the background.
            Defaults to False.
        non_blocking (bool): Whether copying to the device may run ahead. Defaults to False.
    """

    def __init__(
        self,
        mean: Sequence[float],
        std: Sequence[float],
        pad_masked: bool = False,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking=non_blocking)
        self.pad_masked = pad_masked
        for name, value in (('mean', mean), ('std', std)):
            channels = torch.tensor(value, dtype=torch.float32).view(-1, 1, 1, 1)
            self.register_buffer(name, channels, persistent=False)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """The model's inputs.

        Args:
            data (dict): ``inputs`` with ``imgs`` and ``target``, each (2, 3, T, H, W) a video, and
                ``sector`` and ``masked``, each bool of (2, N); lists of tensors or stacked tensors.
                ``data_samples`` is handed on.
            training (bool): Unused. Defaults to False.

        Returns:
            dict: ``data_samples`` and ``inputs``, a dict of ``imgs`` and ``target``
            (2B, 3, T, H, W), normalised float32, and the entries of :func:`token_indices`.

        Raises:
            EchoError: If an entry is missing, a video has not two clips, or the masks do not fit.
        """
        batch = {name: self._stacked(data['inputs'], name) for name in WHO_ADDS}
        if batch['imgs'].shape[1] != 2:
            raise EchoError(
                f'pretraining takes two clips of each video and got {batch["imgs"].shape[1]}: '
                'set num_clips=2 in SampleClipPair'
            )
        indices = token_indices(
            clip_major(batch['sector']), clip_major(batch['masked']), self.pad_masked
        )
        inputs = {name: self.normalise(clip_major(batch[name])) for name in ('imgs', 'target')}
        return {
            'inputs': {**inputs, **self.cast_data(indices)},
            'data_samples': self.cast_data(data.get('data_samples')),
        }

    def normalise(self, clips: Tensor) -> Tensor:
        """Move clips to the device and normalise them there.

        Args:
            clips (Tensor): (..., 3, T, H, W) on the scale 0-255, uint8 or float32.

        Returns:
            Tensor: float32, the same shape.
        """
        return (self.cast_data(clips) - self.mean).div_(self.std)

    def denormalise(self, clips: Tensor) -> Tensor:
        """The inverse of :meth:`normalise`.

        Args:
            clips (Tensor): Normalised clips, (..., 3, T, H, W).

        Returns:
            Tensor: float32 on the scale 0-255, clipped to it.
        """
        return (clips.float() * self.std + self.mean).clamp(0, 255)

    def _stacked(self, inputs: dict[str, Any], name: str) -> Tensor:
        if name not in inputs:
            raise EchoError(
                f'the batch has no {name!r}: put {WHO_ADDS[name]} in the pipeline, and {name!r} in '
                'collect_keys of PackActionInputs'
            )
        value = inputs[name]
        return value if isinstance(value, Tensor) else torch.stack(list(value))


def clip_major(batch: Tensor) -> Tensor:
    """All first clips, then all second clips.

    Args:
        batch (Tensor): (B, 2, ...).

    Returns:
        Tensor: (2B, ...).
    """
    return batch.transpose(0, 1).flatten(0, 1)


def token_indices(sector: Tensor, masked: Tensor, pad_masked: bool) -> dict[str, Tensor | None]:
    """Turn masks into places; see :mod:`echocardmae_mm.sector` for their polarity.

    Args:
        sector (Tensor): bool of shape (B, N).
        masked (Tensor): bool of shape (B, N), within the sector.
        pad_masked (bool): Whether the rows may differ in the number of masked tokens.

    Returns:
        dict[str, Tensor | None]: ``visible`` (B, Nv), ``masked`` (B, Nm) and ``background``
        (B, Nb), int64, N places in all; ``masked_valid`` is None. With ``pad_masked`` each row
        of ``masked`` goes on with its background, so that Nm = N - Nv whatever the sectors and
        ``background`` is empty; ``masked_valid``, bool of shape (B, Nm), is false from there on.

    Raises:
        EchoError: If a token is masked outside the sector, or rows differ where they may not.
    """
    if (masked & ~sector).any():
        raise EchoError('tokens are masked outside the sector; SectorMask masks none there')
    kind = masked.long() * MASKED + (~sector).long() * BACKGROUND
    order = kind.argsort(dim=1, stable=True)
    num_visible = _same_count(kind == VISIBLE, 'visible', 'set num_visible in SectorMask')
    if pad_masked:
        places = order.split([num_visible, order.shape[1] - num_visible, 0], dim=1)
        valid = kind.gather(1, places[1]) == MASKED
    else:
        num_masked = _same_count(
            masked,
            'masked',
            "sector='auto' needs pad_masked=True in the data preprocessor",
        )
        rest = order.shape[1] - num_visible - num_masked
        places = order.split([num_visible, num_masked, rest], dim=1)
        valid = None
    return dict(zip(('visible', 'masked', 'background', 'masked_valid'), (*places, valid)))


def _same_count(chosen: Tensor, what: str, advice: str) -> int:
    counts = chosen.sum(1)
    fewest, most = int(counts.min()), int(counts.max())
    if fewest != most:
        raise EchoError(f'the clips of a batch have {fewest} to {most} {what} tokens: {advice}')
    return fewest
