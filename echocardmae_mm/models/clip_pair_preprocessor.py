"""Turn a batch of clip pairs into the inputs of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from echocardmae_mm.datasets.transforms import DenoisedTarget, SectorMask
from echocardmae_mm.registry import MODELS, TRANSFORMS
from echocardmae_mm.utils.errors import UserError


class TokenIndices(NamedTuple):
    """Indices of the N tokens of each clip, int64; each token is in one of three groups.

    If sectors differ in size, ``masked`` is padded with background tokens to a constant shape, and
    ``background`` is empty.

    Args:
        visible (Tensor): Sector tokens that the encoder sees, (B, Nv).
        masked (Tensor): Sector tokens to reconstruct, (B, Nm).
        background (Tensor): Tokens outside the sector, (B, Nb).
        valid (Tensor, optional): bool of shape (B, Nm), false where ``masked`` has a background
            token; None where all are valid. Defaults to None.
    """

    visible: Tensor
    masked: Tensor
    background: Tensor
    valid: Tensor | None = None


@MODELS.register_module()
class ClipPairPreprocessor(BaseDataPreprocessor):
    """Move clip pairs to the device; add denoised targets and masks.

    Frames stay uint8 on the scale 0-255; the model normalises only the patches that it needs. A
    batch of B videos becomes 2B clips, all first clips before all second clips, so ``x.chunk(2)``
    returns the pairs. Targets and masks from the pipeline take precedence.

    Args:
        mean (Sequence[float]): Mean of R, G and B on the scale 0-255.
        std (Sequence[float]): Standard deviation of R, G and B on the scale 0-255.
        denoise (dict, optional): Config of a transform; its type defaults to
            :class:`DenoisedTarget`. Defaults to None: the pipeline provides targets.
        mask (dict, optional): Config of a transform; its type defaults to :class:`SectorMask`.
            Defaults to None: the pipeline provides masks.
        non_blocking (bool): Whether copies to the device are asynchronous. Defaults to False.
    """

    def __init__(
        self,
        mean: Sequence[float],
        std: Sequence[float],
        denoise: dict[str, Any] | None = None,
        mask: dict[str, Any] | None = None,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking=non_blocking)
        self.denoised_target: DenoisedTarget | None = None
        if denoise is not None:
            self.denoised_target = TRANSFORMS.build(
                {'type': 'echocardmae_mm.DenoisedTarget', **denoise}
            )
        self.sector_mask: SectorMask | None = None
        if mask is not None:
            self.sector_mask = TRANSFORMS.build({'type': 'echocardmae_mm.SectorMask', **mask})
        for name, value in (('mean', mean), ('std', std)):
            self.register_buffer(name, torch.tensor(value, dtype=torch.float32), persistent=False)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Prepare the inputs of the model.

        Args:
            data (dict): A collated batch. Each entry of ``inputs`` is a stacked tensor or a list
                with one tensor per video: ``imgs``, uint8 (2, 3, T, H, W); either ``key``, int64
                (3,), or ``sector`` and ``masked``, bool (2, N); optionally ``target``, like
                ``imgs``, and ``sector_mask``, bool (H, W).
            training (bool): Ignored. Defaults to False.

        Returns:
            dict: ``data_samples`` and ``inputs``: ``imgs`` and ``target``, uint8 (2B, 3, T, H, W),
            and ``tokens``, :class:`TokenIndices`.

        Raises:
            UserError: If an entry is missing, a video does not have two clips, or the masks are
                invalid.
        """
        entries = data['inputs']
        _require(entries, 'imgs', "mmaction.FormatShape(input_format='NCTHW')")
        # Move videos before stacking them: the device copies faster than this process.
        imgs = stack_views(self.cast_data(entries['imgs']))  # (2B, 3, T, H, W)
        if self.denoised_target is not None and 'target' not in entries:
            target = self.denoised_target.denoise(imgs)
        else:
            _require(
                entries, 'target', 'denoise=dict(...) in the data preprocessor or DenoisedTarget'
            )
            target = stack_views(self.cast_data(entries['target']))
        inputs = {'imgs': imgs, 'target': target, 'tokens': self._tokens(entries)}
        return {'inputs': inputs, 'data_samples': self.cast_data(data.get('data_samples'))}

    def normalise(self, patches: Tensor) -> Tensor:
        """Subtract the mean and divide by the standard deviation, channel by channel.

        Args:
            patches (Tensor): (..., D) on the scale 0-255, of any type; channels vary fastest.

        Returns:
            Tensor: float32 of the same shape.
        """
        times = patches.shape[-1] // len(self.mean)
        normal = patches.to(torch.float32, copy=True)
        return normal.sub_(self.mean.repeat(times)).div_(self.std.repeat(times))

    def denormalise(self, patches: Tensor) -> Tensor:
        """The inverse of :meth:`normalise`.

        Args:
            patches (Tensor): Normalised, (..., D); channels vary fastest.

        Returns:
            Tensor: float32, clipped to 0-255.
        """
        pixels = patches.float().unflatten(-1, (-1, len(self.mean)))
        return (pixels * self.std + self.mean).clamp(0, 255).flatten(-2)

    def _tokens(self, entries: dict[str, Sequence[Tensor]]) -> TokenIndices:
        if self.sector_mask is None or 'masked' in entries:
            for name in ('sector', 'masked'):
                _require(entries, name, 'mask=dict() in the data preprocessor or SectorMask')
            # Count on the CPU, to avoid a GPU synchronisation.
            sector, masked = stack_views(entries['sector']), stack_views(entries['masked'])
            num_visible, num_masked = count_tokens(sector, masked)
        else:
            _require(entries, 'key', 'a data set of echocardmae_mm, or SectorMask in the pipeline,')
            keys = self.cast_data(torch.stack(list(entries['key'])))  # (B, 3)
            own = torch.stack(list(entries['sector_mask'])) if 'sector_mask' in entries else None
            masks = self.sector_mask.draw((len(keys), *entries['imgs'][0].shape), keys, own)
            sector, masked = stack_views(masks.sector), stack_views(masks.masked)
            num_visible, num_masked = masks.num_visible, masks.num_masked
        tokens: TokenIndices = self.cast_data(
            token_indices(sector, masked, num_visible, num_masked)
        )
        return tokens


def stack_views(videos: Tensor | Sequence[Tensor]) -> Tensor:
    """Stack B videos of two clips to (2B, ...): all first clips, then all second clips."""
    wrong = next((len(video) for video in videos if len(video) != 2), None)
    if wrong is not None:
        raise UserError(
            f'pretraining needs two clips per video but got {wrong}: '
            'set num_clips=2 in SampleRandomClips'
        )
    if isinstance(videos, Tensor):
        return videos.transpose(0, 1).flatten(0, 1)
    return torch.stack([video[clip] for clip in (0, 1) for video in videos])


def token_indices(
    sector: Tensor, masked: Tensor, num_visible: int, num_masked: int | None
) -> TokenIndices:
    """Turn masks into indices; see :mod:`echocardmae_mm.sector.geometry` for their meaning.

    Args:
        sector (Tensor): bool of shape (B, N).
        masked (Tensor): bool of shape (B, N), within the sector.
        num_visible (int): Number of visible tokens in each row.
        num_masked (int, optional): Number of masked tokens in each row; None if rows differ.

    Returns:
        TokenIndices: In ascending order within each group.
    """
    kind = masked.long() + 2 * (~sector).long()  # (B, N): 0 visible, 1 masked, 2 background
    order = kind.argsort(dim=1, stable=True)
    num_tokens = kind.shape[1]
    end = num_tokens if num_masked is None else num_visible + num_masked
    visible, hidden, background = order.tensor_split([num_visible, end], dim=1)
    valid = kind.gather(1, hidden) == 1 if num_masked is None else None
    return TokenIndices(visible, hidden, background, valid)


def count_tokens(sector: Tensor, masked: Tensor) -> tuple[int, int | None]:
    """Count the visible and masked tokens of each clip.

    Args:
        sector (Tensor): bool of shape (B, N).
        masked (Tensor): bool of shape (B, N).

    Returns:
        tuple[int, int | None]: Number of visible and of masked tokens; None if the number of masked
        tokens differs between clips.

    Raises:
        UserError: If a token outside the sector is masked, or the number of visible tokens differs
            between clips.
    """
    if (masked & ~sector).any():
        raise UserError('the mask covers tokens outside the sector; it must lie within the sector')
    visible = (sector & ~masked).sum(1)
    if visible.min() != visible.max():
        raise UserError(
            f'clips have {int(visible.min())} to {int(visible.max())} visible tokens, but all '
            'clips need the same number: set num_visible in SectorMask'
        )
    hidden = masked.sum(1)
    same = bool(hidden.min() == hidden.max())
    return int(visible[0]), int(hidden[0]) if same else None


def _require(entries: dict[str, Sequence[Tensor]], name: str, source: str) -> None:
    if name not in entries:
        raise UserError(
            f'the batch has no {name!r}: use {source} and add {name!r} to collect_keys of '
            'PackActionInputs'
        )
