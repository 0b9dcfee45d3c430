"""Draw the token masks of pretraining."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from echocardmae_mm.datasets.transforms.echo_transform import EchoTransform
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.sector.geometry import template_sector, token_sector
from echocardmae_mm.sector.masking import STRATEGIES, mask_tokens
from echocardmae_mm.utils.counter_rng import rng_key
from echocardmae_mm.utils.errors import RecordingError, UserError

SECTORS = ('template', 'auto', 'none')


class SectorTooSmallError(UserError):
    """A sector has too few tokens to mask."""


class TokenMasks(NamedTuple):
    """Masks of a batch; see :mod:`echocardmae_mm.sector.geometry` for their meaning.

    Args:
        sector (Tensor): bool of shape (B, M, N).
        masked (Tensor): bool of shape (B, M, N).
        num_visible (int): Number of visible tokens of each clip.
        num_masked (int, optional): Number of masked tokens of each clip; None if videos may differ.
    """

    sector: Tensor
    masked: Tensor
    num_visible: int
    num_masked: int | None


@TRANSFORMS.register_module()
class SectorMask(EchoTransform):
    """Key area masking: mask most tokens of the sector and none of the background.

    Every time slot of every video has the same number of visible tokens; all other tokens of the
    sector are masked. See section 2.2 of the paper; the equal number per slot and the mask shared
    by both clips follow the released code.

    :class:`ClipPairPreprocessor` applies this transform to batches, a pipeline to single samples.

    Required Keys:

        - imgs (uint8, (M, C, T, H, W))
        - sector_mask (bool (H, W), for ``sector='auto'``)

    Added Keys:

        - sector (bool (M, N), N = T / tubelet_size * H / patch_size * W / patch_size)
        - masked (bool (M, N))

    Args:
        patch_size (int): Height and width of a patch in pixels. Defaults to 16.
        tubelet_size (int): Frames per token. Defaults to 2.
        strategy (str): 'random', 'tube' or 'block'; see :mod:`echocardmae_mm.sector.masking`.
            Defaults to 'random'.
        mask_ratio (float): Fraction of masked tokens, in (0, 1). Defaults to 0.75.
        sector (str): 'template' is the sector of EchoNet-Dynamic, 'auto' the sector that
            :class:`FindSector` or :class:`CropToSector` found, 'none' the whole frame.
            Defaults to 'template'.
        num_visible (int, optional): Number of visible tokens in each slot. Defaults to
            ``int(tokens * (1 - mask_ratio))``, where ``tokens`` is the number of tokens in the
            whole frame for ``sector='none'``, otherwise in the template.
        same_mask (bool): Whether all clips share one mask. Defaults to True.

    Raises:
        UserError: If a setting is out of range.

    Example:
        >>> import numpy as np
        >>> from echocardmae_mm.datasets.transforms import SectorMask
        >>> clips = np.zeros((2, 3, 16, 112, 112), np.uint8)
        >>> results = SectorMask(strategy='tube').transform({'imgs': clips, 'sample_idx': 0})
        >>> int(results['sector'][0].sum()), int(results['masked'][0].sum())
        (336, 256)
    """

    def __init__(
        self,
        patch_size: int = 16,
        tubelet_size: int = 2,
        strategy: str = 'random',
        mask_ratio: float = 0.75,
        sector: str = 'template',
        num_visible: int | None = None,
        same_mask: bool = True,
    ) -> None:
        if strategy not in STRATEGIES:
            raise UserError(
                f'SectorMask: strategy={strategy!r} is unknown; choose one of {[*STRATEGIES]}'
            )
        if sector not in SECTORS:
            raise UserError(f'SectorMask: sector={sector!r} is unknown; choose one of {SECTORS}')
        if not 0 < mask_ratio < 1:
            raise UserError(f'SectorMask: mask_ratio={mask_ratio} must lie between 0 and 1')
        if num_visible is not None and num_visible < 1:
            raise UserError(f'SectorMask: num_visible={num_visible} must be at least 1')
        self.patch_size = patch_size
        self.tubelet_size = tubelet_size
        self.strategy = strategy
        self.mask_ratio = mask_ratio
        self.sector = sector
        self.num_visible = num_visible
        self.same_mask = same_mask

    def draw(
        self, imgs_shape: tuple[int, ...], keys: Tensor, sector_masks: Tensor | None = None
    ) -> TokenMasks:
        """Draw the masks of a batch.

        Args:
            imgs_shape (tuple[int, ...]): (B, M, C, T, H, W).
            keys (Tensor): int64 of shape (B, 3), one :class:`RngKey` per row.
            sector_masks (Tensor, optional): The sectors for ``sector='auto'``, bool of shape
                (B, H, W), on the CPU. Defaults to None.

        Returns:
            TokenMasks: On the device of ``keys``.

        Raises:
            UserError: If the clips do not divide into tokens, a sector is missing, or a sector
                is too small to mask.
        """
        _, num_clips, _, num_frames, height, width = imgs_shape
        if num_frames % self.tubelet_size:
            raise UserError(
                f'SectorMask: a clip of {num_frames} frames cannot be divided into tubelets of '
                f'{self.tubelet_size}; change clip_len or tubelet_size'
            )
        num_slots = num_frames // self.tubelet_size
        grids = self._token_sectors(height, width, sector_masks)  # (B or 1, h, w)
        num_visible = self._count_visible(height, width)
        tokens = grids.sum(axis=(1, 2))
        if not 0 < num_visible < tokens.min():
            raise SectorTooSmallError(
                f'SectorMask: the sector has {tokens.min()} tokens of {self.patch_size} x '
                f'{self.patch_size} pixels in each slot, too few for {num_visible} visible and at '
                'least one masked; change mask_ratio, num_visible or patch_size, or raise min_area '
                'of FindSector'
            )
        sector = torch.from_numpy(grids).to(keys.device, non_blocking=True)
        num_masks = 1 if self.same_mask else num_clips
        masked = mask_tokens(sector, keys, num_masks, num_slots, num_visible, self.strategy)
        return TokenMasks(
            sector.flatten(1).repeat(1, num_slots)[:, None].expand(len(keys), num_clips, -1),
            masked.expand(-1, num_clips, -1),
            num_slots * num_visible,
            None if self.sector == 'auto' else num_slots * int(tokens[0] - num_visible),
        )

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``sector`` and ``masked``.

        Raises:
            UserError: See :meth:`draw`; also if ``imgs`` is not an array of clips.
        """
        imgs = results['imgs']
        if getattr(imgs, 'ndim', 0) != 5:
            raise UserError(
                "SectorMask needs imgs of shape (M, C, T, H, W): put FormatShape('NCTHW') before it"
            )
        own = results.get('sector_mask')
        masks_of_sectors = None if own is None else torch.from_numpy(own)[None]
        keys = torch.tensor([rng_key(results)])
        try:
            masks = self.draw((1, *imgs.shape), keys, masks_of_sectors)
        except SectorTooSmallError as error:
            if self.sector != 'auto':
                raise
            raise RecordingError(results.get('filename', 'recording'), str(error)) from error
        results['sector'], results['masked'] = masks.sector[0].numpy(), masks.masked[0].numpy()
        return results

    def _token_sectors(self, height: int, width: int, sector_masks: Tensor | None) -> np.ndarray:
        if self.sector != 'auto':
            return _config_sector(self.sector, height, width, self.patch_size)
        if sector_masks is None:
            raise UserError(
                "SectorMask: sector='auto' needs each recording's sector_mask: put FindSector or "
                "CropToSector in the pipeline, and 'sector_mask' in collect_keys of "
                'PackActionInputs'
            )
        if tuple(sector_masks.shape[1:]) != (height, width):
            found = ' x '.join(map(str, sector_masks.shape[1:]))
            raise UserError(
                f'SectorMask: sector_mask of {found} pixels does not match frames of {height} x '
                f'{width}; resize before FindSector, or set size in CropToSector'
            )
        return token_sector(sector_masks.numpy(), self.patch_size)

    def _count_visible(self, height: int, width: int) -> int:
        if self.num_visible is not None:
            return self.num_visible
        sector = 'none' if self.sector == 'none' else 'template'
        tokens = int(_config_sector(sector, height, width, self.patch_size).sum())
        # 10 * (1 - 0.9) is a little less than 1.
        return int(round(tokens * (1 - self.mask_ratio), 6))


@lru_cache(maxsize=16)
def _config_sector(sector: str, height: int, width: int, patch_size: int) -> np.ndarray:
    """Token grid of the sector that all recordings share, bool of shape (1, h, w)."""
    mask = np.ones((height, width), bool) if sector == 'none' else template_sector(height, width)
    return token_sector(mask, patch_size)[None]
