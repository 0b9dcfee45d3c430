"""The video encoder as a backbone for single images, in MMSegmentation's grammar."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import torch.nn.functional as F
from mmaction.models.backbones.vit_mae import get_sinusoid_encoding
from torch import Tensor, nn

from echocardmae_mm.models.fused_vit import FusedVisionTransformer
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError

_PATCH_EMBEDDING = ('patch_embed.projection.weight', 'patch_embed.projection.bias')


@MODELS.register_module()
class FrameVisionTransformer(FusedVisionTransformer):
    """:class:`FusedVisionTransformer` on one frame, standing still for the length of a tubelet.

    Parameter names are the video encoder's, so that a pretrained checkpoint loads by
    ``init_cfg=dict(type='Pretrained', checkpoint=..., prefix='backbone.')``. The kernel of the
    patch embedding stays three-dimensional and is summed over time when it is used, which is what a
    clip that stands still gets. The first time slot of the position table is taken; every other
    tensor fits as it is.

    Args:
        img_size (int): Side of the images in pixels; another size at run time interpolates the
            position table. Defaults to 112.
        patch_size (int): Side of a patch in pixels. Defaults to 16.
        tubelet_size (int): Frames of a token of the video encoder. Defaults to 2.
        out_indices (Sequence[int]): Blocks whose outputs are given, from 0, -1 the last. The last
            block's goes through the final norm. Defaults to (-1,).
        fresh_patch_embed (bool): Whether a checkpoint's patch embedding is left out, as the
            released ``train_seg.py`` draws a new one. Defaults to False.
        **kwargs: Of :class:`FusedVisionTransformer`: ``embed_dims``, ``depth``, ``num_heads``, ...

    Raises:
        UserError: If there is no such block.
    """

    def __init__(
        self,
        img_size: int = 112,
        patch_size: int = 16,
        tubelet_size: int = 2,
        out_indices: Sequence[int] = (-1,),
        fresh_patch_embed: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            img_size=img_size,
            patch_size=patch_size,
            num_frames=tubelet_size,
            tubelet_size=tubelet_size,
            use_mean_pooling=False,
            **kwargs,
        )
        depth = len(self.blocks)
        if not all(-depth <= index < depth for index in out_indices):
            raise UserError(
                f'FrameVisionTransformer: out_indices={tuple(out_indices)} must lie between 0 and '
                f'{depth - 1}, its blocks'
            )
        self.out_indices = sorted(index % depth for index in out_indices)
        self.fresh_patch_embed = fresh_patch_embed
        self._is_starting = False
        if isinstance(self.pos_embed, nn.Parameter):
            sinusoids = get_sinusoid_encoding(self.pos_embed.shape[1], self.embed_dims)
            self.pos_embed.data.copy_(sinusoids)
        self._register_load_state_dict_pre_hook(self._fit_to_a_frame)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Features of each patch.

        Args:
            images (Tensor): Normalised images of shape (B, 3, H, W).

        Returns:
            tuple[Tensor]: A map of shape (B, C, H / patch, W / patch) for each of ``out_indices``,
            as MMSegmentation expects.
        """
        convolution = self.patch_embed.projection
        tokens = F.conv2d(
            images, convolution.weight.sum(2), convolution.bias, stride=self.patch_size
        )
        grid = tokens.shape[2:]
        tokens = self.pos_drop(tokens.flatten(2).transpose(1, 2) + self._positions(grid))
        maps = []
        for index, block in enumerate(self.blocks):
            tokens = block(tokens)
            if index in self.out_indices:
                is_last = index == len(self.blocks) - 1
                features = self.norm(tokens) if is_last else tokens
                maps.append(features.transpose(1, 2).unflatten(2, grid))
        return tuple(maps)

    def init_weights(self) -> None:
        """Initialise, and leave out of the checkpoint that ``init_cfg`` names what stays fresh."""
        self._is_starting = True
        super().init_weights()
        self._is_starting = False

    def left_fresh(self) -> Collection[str]:
        """Names of tensors that a checkpoint has and that are not taken from it.

        Returns:
            Collection[str]: The patch embedding's, or none.
        """
        return _PATCH_EMBEDDING if self.fresh_patch_embed else ()

    def _positions(self, grid: Sequence[int]) -> Tensor:
        if tuple(grid) == self.grid_size:
            return self.pos_embed
        table = self.pos_embed.transpose(1, 2).unflatten(2, self.grid_size)
        table = F.interpolate(table, size=grid, mode='bicubic', align_corners=False)
        return table.flatten(2).transpose(1, 2)

    def _fit_to_a_frame(self, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
        positions = f'{prefix}pos_embed'
        if positions in state_dict:
            state_dict[positions] = state_dict[positions][:, : self.pos_embed.shape[1]]
        if self._is_starting:
            for name in self.left_fresh():
                state_dict.pop(prefix + name, None)
