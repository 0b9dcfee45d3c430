"""Draw the tokens that pretraining hides."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.sector.detection import detect_sector
from echocardmae_mm.sector.geometry import template_sector, token_sector
from echocardmae_mm.sector.masking import (
    BATCH_STRATEGIES,
    STRATEGIES,
    mask_token_batch,
    mask_tokens,
)
from echocardmae_mm.utils.counter_rng import rng_key
from echocardmae_mm.utils.errors import RecordingError, UserError

SECTORS = ('template', 'auto', 'none')


@TRANSFORMS.register_module()
class SectorMask(BaseTransform):
    """Key area masking: hide most of the sector's tokens, none of the background's.

    Every temporal slot of every video shows the same number of tokens, a constant of the config;
    all other tokens of the sector are masked (section 2.2 of the paper; the released code for the
    equal number in each slot and the mask that both clips share). ``echocardmae_mm.sector.geometry`` states
    the polarity.

    Required Keys:

        - imgs (uint8, (M, C, T, H, W))
        - sector_mask (bool (H, W), optional, for ``sector='auto'``)

    Added Keys:

        - sector (bool (M, N), N = T / tubelet_size * H / patch_size * W / patch_size)
        - masked (bool (M, N))

    Args:
        patch_size (int): Side of a patch in pixels. Defaults to 16.
        tubelet_size (int): Frames of a token. Defaults to 2.
        strategy (str): 'random', 'tube' or 'block', see ``echocardmae_mm.sector.masking``. Defaults to
            'random'.
        mask_ratio (float): Part of the tokens that is masked, in (0, 1). Defaults to 0.75.
        sector (str): 'template' is EchoNet-Dynamic's, 'auto' each recording's own
            (``sector_mask`` if the results hold one, else detected on all clips), 'none' the whole
            frame. Defaults to 'template'.
        num_visible (int, optional): Visible tokens in each slot. Defaults to
            ``int(tokens * (1 - mask_ratio))``, where ``tokens`` are the whole frame's for
            ``sector='none'`` and the template's otherwise.
        same_mask (bool): Whether all clips share one mask. Defaults to True.
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

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``sector`` and ``masked``.

        Args:
            results (dict): The pipeline's results dict.

        Returns:
            dict: The same dict.

        Raises:
            UserError: If the clips do not divide into tokens or the config leaves nothing to mask.
            RecordingError: If the recording's own sector is not found or too small.
        """
        num_clips, num_slots = self._count_slots(results['imgs'])
        height, width = results['imgs'].shape[-2:]
        grid = token_sector(self._find_sector(results, height, width), self.patch_size)
        num_visible = self._count_visible(height, width)
        self._check_room(results, int(grid.sum()), num_visible)

        num_masks = 1 if self.same_mask else num_clips
        masked = mask_tokens(
            grid, num_masks, num_slots, num_visible, self.strategy, rng_key(results)
        )
        results['sector'] = np.tile(grid.ravel(), (num_clips, num_slots))
        results['masked'] = np.repeat(masked, num_clips // num_masks, axis=0)
        return results

    @property
    def has_batch_form(self) -> bool:
        """Whether :meth:`transform_batch` draws the same masks as :meth:`transform`."""
        if type(self) is not SectorMask:  # What a subclass changes is not known here.
            return False
        return self.sector != 'auto' and self.strategy in BATCH_STRATEGIES

    def transform_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Add ``sector`` and ``masked`` to a whole batch of clip pairs, on its device.

        Args:
            batch (dict): ``imgs`` of shape (2B, C, T, H, W), all first clips before all second
                ones, and ``keys``, int64 of shape (B, 3), whose draws they are.

        Returns:
            dict: The batch, ``sector`` and ``masked``, bool of shape (2B, N), and ``num_places``,
            how many tokens of each clip are visible and masked.

        Raises:
            UserError: If the clips do not divide into tokens or the config leaves nothing to mask.
        """
        imgs, keys = batch['imgs'], batch['keys']
        num_clips = len(imgs) // len(keys)
        num_slots = self._count_slots(imgs)[1]
        height, width = imgs.shape[-2:]
        grid = token_sector(self._usual_sector(height, width), self.patch_size).ravel()
        tokens, num_visible = int(grid.sum()), self._count_visible(height, width)
        self._check_room({}, tokens, num_visible)

        sector = torch.from_numpy(grid).to(imgs.device, non_blocking=True)
        num_masks = 1 if self.same_mask else num_clips
        masked = mask_token_batch(sector, num_masks, num_slots, num_visible, self.strategy, keys)
        return {
            **batch,
            'sector': sector.repeat(num_slots).expand(len(imgs), -1),
            'masked': masked.transpose(0, 1).repeat(num_clips // num_masks, 1, 1).flatten(0, 1),
            'num_places': (num_slots * num_visible, num_slots * (tokens - num_visible)),
        }

    def _count_slots(self, imgs: Any) -> tuple[int, int]:
        if getattr(imgs, 'ndim', 0) != 5:
            raise UserError(
                "SectorMask needs imgs of shape (M, C, T, H, W): put FormatShape('NCTHW') before it"
            )
        num_clips, _, num_frames = imgs.shape[:3]
        if num_frames % self.tubelet_size:
            raise UserError(
                f'SectorMask: a clip of {num_frames} frames does not divide into tubelets of '
                f'{self.tubelet_size}; change clip_len or tubelet_size'
            )
        return num_clips, num_frames // self.tubelet_size

    def _find_sector(self, results: dict[str, Any], height: int, width: int) -> np.ndarray:
        if self.sector == 'auto':
            return self._find_own_sector(results, height, width)
        return self._usual_sector(height, width)

    def _find_own_sector(self, results: dict[str, Any], height: int, width: int) -> np.ndarray:
        if 'sector_mask' in results:
            mask = results['sector_mask']
            if mask.shape != (height, width):
                raise UserError(
                    f'SectorMask: sector_mask of {mask.shape[0]} x {mask.shape[1]} pixels does not '
                    f'fit frames of {height} x {width}; let CropToSector resize them by its size='
                )
            return mask
        frames = np.moveaxis(results['imgs'], 1, -1).reshape(-1, height, width, 3)
        try:
            return detect_sector(frames)
        except ValueError as error:
            raise RecordingError(results.get('filename', 'recording'), str(error)) from error

    def _usual_sector(self, height: int, width: int) -> np.ndarray:
        if self.sector == 'none':
            return np.ones((height, width), bool)
        return template_sector(height, width)

    def _count_visible(self, height: int, width: int) -> int:
        if self.num_visible is not None:
            return self.num_visible
        usual = self._usual_sector(height, width)
        tokens = int(token_sector(usual, self.patch_size).sum())
        # 10 * (1 - 0.9) is a little less than 1.
        return int(round(tokens * (1 - self.mask_ratio), 6))

    def _check_room(self, results: dict[str, Any], tokens: int, num_visible: int) -> None:
        if 0 < num_visible < tokens:
            return
        reason = (
            f'the sector has {tokens} tokens of {self.patch_size} x {self.patch_size} pixels in '
            f'each slot, too few for {num_visible} visible and at least one masked'
        )
        if self.sector == 'auto' and num_visible > 0:
            raise RecordingError(results.get('filename', 'recording'), reason)
        raise UserError(f'SectorMask: {reason}; change mask_ratio, num_visible or patch_size')

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(patch_size={self.patch_size}, '
            f'tubelet_size={self.tubelet_size}, strategy={self.strategy!r}, '
            f'mask_ratio={self.mask_ratio}, sector={self.sector!r}, '
            f'num_visible={self.num_visible}, same_mask={self.same_mask})'
        )
