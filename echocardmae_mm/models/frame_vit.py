"""The video encoder as an MMSegmentation backbone for single images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from mmaction.models.backbones.vit_mae import get_sinusoid_encoding
from torch import Tensor, nn

from echocardmae_mm.models.fused_vit import FusedVisionTransformer
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError

_PATCH_KERNEL = 'patch_embed.projection.weight'


@MODELS.register_module()
class FrameVisionTransformer(FusedVisionTransformer):
    """:class:`FusedVisionTransformer` on single frames, as if each were a still clip.

    Parameter names stay the same, so a pretrained checkpoint loads with
    ``init_cfg=dict(type='Pretrained', checkpoint=..., prefix='backbone.')``. Loading sums the
    kernel of the patch embedding over time, which equals repeating the frame, and keeps the
    position embeddings of the first time slot.

    Args:
        img_size (int): Height and width of the images in pixels. The position embeddings are
            interpolated for images of other sizes. Defaults to 112.
        patch_size (int): Height and width of a patch in pixels. Defaults to 16.
        out_indices (Sequence[int]): Blocks whose outputs to return, from 0; -1 is the last one,
            whose output is normalised. Defaults to (-1,).
        fresh_patch_embed (bool): Whether to ignore the kernel of the checkpoint's patch embedding,
            as the released ``train_seg.py`` does. Defaults to False.
        **kwargs: Arguments of :class:`FusedVisionTransformer`: ``embed_dims``, ``depth``,
            ``num_heads``, ...

    Raises:
        UserError: If ``out_indices`` is out of range.
    """

    def __init__(
        self,
        img_size: int = 112,
        patch_size: int = 16,
        out_indices: Sequence[int] = (-1,),
        fresh_patch_embed: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            img_size=img_size,
            patch_size=patch_size,
            num_frames=1,
            tubelet_size=1,
            use_mean_pooling=False,
            **kwargs,
        )
        depth = len(self.blocks)
        if not all(-depth <= index < depth for index in out_indices):
            raise UserError(
                f'FrameVisionTransformer: out_indices={tuple(out_indices)} must lie between 0 and '
                f'{depth - 1}'
            )
        self.out_indices = sorted(index % depth for index in out_indices)
        self.left_fresh = (_PATCH_KERNEL,) if fresh_patch_embed else ()
        self._is_starting = False
        if isinstance(self.pos_embed, nn.Parameter):
            sinusoids = get_sinusoid_encoding(self.pos_embed.shape[1], self.embed_dims)
            self.pos_embed.data.copy_(sinusoids)
        self._register_load_state_dict_pre_hook(self._adapt_state_dict)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Compute feature maps.

        Args:
            images (Tensor): Normalised images of shape (B, 3, H, W).

        Returns:
            tuple[Tensor]: A map of shape (B, C, H / patch, W / patch) for each of ``out_indices``.
        """
        convolution = self.patch_embed.projection
        tokens = F.conv2d(
            images, convolution.weight.squeeze(2), convolution.bias, stride=self.patch_size
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
        """Initialise; do not load the tensors of :attr:`left_fresh` from the checkpoint."""
        self._is_starting = True
        super().init_weights()
        self._is_starting = False

    def adapt(self, state: dict[str, Tensor], prefix: str = '') -> None:
        """Sum the patch embedding of a video encoder over time; keep the first slot's positions."""
        kernel, positions = prefix + _PATCH_KERNEL, f'{prefix}pos_embed'
        if kernel in state:
            state[kernel] = state[kernel].sum(2, keepdim=True)
        if positions in state:
            state[positions] = state[positions][:, : self.pos_embed.shape[1]]

    def _positions(self, grid: Sequence[int]) -> Tensor:
        if tuple(grid) == self.grid_size:
            return self.pos_embed
        table = self.pos_embed.transpose(1, 2).unflatten(2, self.grid_size)
        table = F.interpolate(table, size=grid, mode='bicubic', align_corners=False)
        return table.flatten(2).transpose(1, 2)

    def _adapt_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
        self.adapt(state_dict, prefix)
        if self._is_starting:
            for name in self.left_fresh:
                state_dict.pop(prefix + name, None)
