"""From a batch of clip pairs to what the model computes with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from echocardmae_mm.datasets.clip_batch import ClipBatch
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError

WHO_ADDS = {
    'imgs': "mmaction.FormatShape(input_format='NCTHW')",
    'target': "DenoisedTarget (method='none' for the clip itself)",
    'sector': 'SectorMask',
    'masked': 'SectorMask',
}
VISIBLE, MASKED, BACKGROUND = 0, 1, 2


@MODELS.register_module()
class ClipPairPreprocessor(BaseDataPreprocessor):
    """Moves clip pairs to the device, prepares there what is left to do, turns masks into places.

    Frames travel and stay as they were decoded, uint8 on the scale 0-255: the model normalises the
    patches that it looks at. A batch of B videos becomes 2B clips: all first clips, then all second
    clips, so that ``x.chunk(2)`` are the pairs.

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
            self.register_buffer(name, torch.tensor(value, dtype=torch.float32), persistent=False)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """The model's inputs.

        Args:
            data (dict): A collated batch of samples: ``inputs`` with ``imgs`` and ``target``, each
                (2, 3, T, H, W) a video, and ``sector`` and ``masked``, each bool of (2, N); lists
                of tensors or stacked tensors. Or a :class:`ClipBatch`. ``data_samples`` is handed
                on.
            training (bool): Unused. Defaults to False.

        Returns:
            dict: ``data_samples`` and ``inputs``, a dict of ``imgs`` and ``target``
            (2B, 3, T, H, W), uint8 on the scale 0-255, and the entries of :func:`token_indices`.

        Raises:
            UserError: If an entry is missing, a video has not two clips, or the masks do not fit.
        """
        inputs = data['inputs']
        if isinstance(inputs, ClipBatch):
            _require_pairs(len(inputs.clips))
            batch = inputs.prepare(self._move)
            _require(batch)
        else:
            batch = self._stack(inputs)
        indices = token_indices(
            batch['sector'], batch['masked'], self.pad_masked, batch.get('num_places')
        )
        clips = {name: self._move(batch[name]) for name in ('imgs', 'target')}
        return {
            'inputs': {**clips, **self.cast_data(indices)},
            'data_samples': self.cast_data(data.get('data_samples')),
        }

    def normalise(self, patches: Tensor) -> Tensor:
        """Subtract the mean and divide by the standard deviation, colour by colour.

        Args:
            patches (Tensor): (..., D) on the scale 0-255, of any type; R, G, B, R, ... in turn.

        Returns:
            Tensor: float32, the same shape.
        """
        times = patches.shape[-1] // len(self.mean)
        normal = patches.to(torch.float32, copy=True)
        return normal.sub_(self.mean.repeat(times)).div_(self.std.repeat(times))

    def denormalise(self, patches: Tensor) -> Tensor:
        """The inverse of :meth:`normalise`.

        Args:
            patches (Tensor): Normalised, (..., D); R, G, B, R, ... in turn.

        Returns:
            Tensor: float32 on the scale 0-255, clipped to it.
        """
        pixels = patches.float().unflatten(-1, (-1, len(self.mean)))
        return (pixels * self.std + self.mean).clamp(0, 255).flatten(-2)

    def _move(self, tensor: Tensor) -> Tensor:
        moved: Tensor = self.cast_data(tensor)
        return moved

    def _stack(self, inputs: dict[str, Any]) -> dict[str, Any]:
        _require(inputs)
        batch = {
            name: value if isinstance(value, Tensor) else torch.stack(list(value))
            for name, value in inputs.items()
        }
        _require_pairs(batch['imgs'].shape[1])
        return {name: clip_major(batch[name]) for name in WHO_ADDS}


def clip_major(batch: Tensor) -> Tensor:
    """All first clips, then all second clips.

    Args:
        batch (Tensor): (B, 2, ...).

    Returns:
        Tensor: (2B, ...).
    """
    return batch.transpose(0, 1).flatten(0, 1)


def token_indices(
    sector: Tensor,
    masked: Tensor,
    pad_masked: bool,
    num_places: tuple[int, int] | None = None,
) -> dict[str, Tensor | None]:
    """Turn masks into places; see :mod:`echocardmae_mm.sector.geometry` for their polarity.

    Args:
        sector (Tensor): bool of shape (B, N).
        masked (Tensor): bool of shape (B, N), within the sector.
        pad_masked (bool): Whether the rows may differ in the number of masked tokens.
        num_places (tuple[int, int], optional): How many tokens of each row are visible and masked,
            where that is known: nothing is then counted, for which a GPU would have to be waited
            for. Defaults to None.

    Returns:
        dict[str, Tensor | None]: ``visible`` (B, Nv), ``masked`` (B, Nm) and ``background``
        (B, Nb), int64, N places in all; ``masked_valid`` is None. With ``pad_masked`` each row
        of ``masked`` goes on with its background, so that Nm = N - Nv whatever the sectors and
        ``background`` is empty; ``masked_valid``, bool of shape (B, Nm), is false from there on.

    Raises:
        UserError: If a token is masked outside the sector, or rows differ where they may not.
    """
    kind = masked.long() * MASKED + (~sector).long() * BACKGROUND
    num_visible, num_masked = num_places or _count_places(sector, masked, kind, pad_masked)
    rest = 0 if pad_masked else kind.shape[1] - num_visible - num_masked
    order = kind.argsort(dim=1, stable=True)
    places = order.tensor_split([num_visible, kind.shape[1] - rest], dim=1)
    valid = kind.gather(1, places[1]) == MASKED if pad_masked else None
    return dict(zip(('visible', 'masked', 'background', 'masked_valid'), (*places, valid)))


def _require(inputs: dict[str, Any]) -> None:
    for name, who in WHO_ADDS.items():
        if name not in inputs:
            raise UserError(
                f'the batch has no {name!r}: put {who} in the pipeline, and {name!r} in '
                'collect_keys of PackActionInputs'
            )


def _require_pairs(num_clips: int) -> None:
    if num_clips != 2:
        raise UserError(
            f'pretraining takes two clips of each video and got {num_clips}: '
            'set num_clips=2 in SampleRandomClips'
        )


def _count_places(
    sector: Tensor, masked: Tensor, kind: Tensor, pad_masked: bool
) -> tuple[int, int]:
    if (masked & ~sector).any():
        raise UserError('tokens are masked outside the sector; SectorMask masks none there')
    num_visible = _same_count(kind == VISIBLE, 'visible', 'set num_visible in SectorMask')
    if pad_masked:
        return num_visible, kind.shape[1] - num_visible
    advice = "sector='auto' needs pad_masked=True in the data preprocessor"
    return num_visible, _same_count(masked, 'masked', advice)


def _same_count(chosen: Tensor, what: str, advice: str) -> int:
    counts = chosen.sum(1)
    fewest, most = int(counts.min()), int(counts.max())
    if fewest != most:
        raise UserError(f'the clips of a batch have {fewest} to {most} {what} tokens: {advice}')
    return fewest
