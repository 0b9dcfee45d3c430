"""The image encoder of SAMUS: SAM's, with a convolutional branch and adapters."""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import partial
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn
from torchvision.models.convnext import LayerNorm2d

from echocardmae_mm.models.peers.sam_attention import SAMAttention
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError

_PATCH = 16  # of SAM's patch embedding
_TABLE = 64  # rows and columns of SAM's positions


@MODELS.register_module()
class SAMUSEncoder(BaseModule):
    """SAM's image encoder on small images, beside a convolutional branch.

    Overlapping patches of 16 pixels replace SAM's, so that 256 pixels give a grid of 32. Blocks
    with global attention also attend to the convolutional branch, and refine it. The blocks are
    timm's (Apache-2.0), with the LayerNorm of SAM. The additions are those of SAMUS (Lin et al.,
    "Beyond Adapting SAM", MICCAI 2024; xianlin7/SAMUS, MIT).

    Args:
        img_size (int): Height and width of the images in pixels. Defaults to 256.
        stride (int): Pixels between patches, a power of two. Defaults to 8.
        embed_dims (int): Width D of a token. Defaults to 768, ViT-B.
        depth (int): Number of blocks. Defaults to 12.
        num_heads (int): Attention heads. Defaults to 12.
        global_blocks (Collection[int]): Blocks with global attention, from 0; the others attend
            within windows. Defaults to (2, 5, 8, 11).
        window_size (int): Height and width of the windows in tokens. Defaults to 14.
        out_channels (int): Width C of the embedding. Defaults to 256.
        frozen (bool): Whether to train the additions and the relative positions of the global
            blocks only, as SAMUS does; this needs SAM's weights. Defaults to False.
        init_cfg (dict, optional): Initialisation. Defaults to None, torch's.

    Raises:
        UserError: If SAM's table of positions cannot be halved to the grid.
    """

    def __init__(
        self,
        img_size: int = 256,
        stride: int = 8,
        embed_dims: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        global_blocks: Collection[int] = (2, 5, 8, 11),
        window_size: int = 14,
        out_channels: int = 256,
        frozen: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        from timm.models.vision_transformer_sam import Block  # slow to import

        super().__init__(init_cfg=init_cfg)
        self.img_size = img_size
        self.grid_size = img_size // stride
        if stride not in (2, 4, 8, 16) or _TABLE not in (self.grid_size << n for n in range(6)):
            raise UserError(
                f'SAMUSEncoder: img_size={img_size} and stride={stride} give a grid of '
                f'{self.grid_size}; the stride must be 2, 4, 8 or 16, and the grid 2 to 64 and a '
                'power of two'
            )
        self.margin = _PATCH - stride
        doublings = int(math.log2(stride))
        widths = [64 << index for index in range(doublings)] + [embed_dims]
        self.cnn_stem = _convolution(3, widths[0])
        self.cnn_stages = nn.Sequential(
            *(_halving(before, after) for before, after in pairwise(widths))
        )
        self.patch_embed = nn.Conv2d(3, embed_dims, _PATCH, stride)
        self.patch_adapter = _adapter(embed_dims)
        self.position_table = nn.Parameter(torch.zeros(1, _TABLE, _TABLE, embed_dims))
        nn.init.trunc_normal_(self.position_table, std=0.02)
        halvings = int(math.log2(_TABLE // self.grid_size))
        self.position_adapter = nn.Sequential(
            *(_halving(embed_dims, embed_dims) for _ in range(halvings))
        )
        settings: dict[str, Any] = dict(
            dim=embed_dims,
            num_heads=num_heads,
            # timm's is 1e-5.
            norm_layer=partial(nn.LayerNorm, eps=1e-6),
            use_rel_pos=True,
            input_size=(self.grid_size, self.grid_size),
        )
        self.blocks = nn.ModuleList(
            ParallelBlock(Block(**settings), embed_dims, num_heads)
            if index in global_blocks
            else Block(**settings, window_size=window_size)
            for index in range(depth)
        )
        self.neck = nn.Sequential(
            nn.Conv2d(embed_dims, out_channels, 1, bias=False),
            LayerNorm2d(out_channels, eps=1e-6),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            LayerNorm2d(out_channels, eps=1e-6),
        )
        if frozen:
            self._freeze()

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Compute the image embedding.

        Args:
            images (Tensor): (B, 3, S, S).

        Returns:
            tuple[Tensor]: (B, C, S / stride, S / stride).
        """
        cnn = self.cnn_stages(self.cnn_stem(images))  # (B, D, h, w)
        side = self.img_size + self.margin
        images = F.interpolate(images, (side, side), mode='bilinear', align_corners=False)
        tokens = self.patch_embed(images).permute(0, 2, 3, 1)  # (B, h, w, D)
        tokens = tokens + self.patch_adapter(tokens)
        positions = self.position_adapter(self.position_table.permute(0, 3, 1, 2))
        tokens = tokens + positions.permute(0, 2, 3, 1)
        for block in self.blocks:
            if isinstance(block, ParallelBlock):
                tokens, cnn = block(tokens, cnn)
            else:
                tokens = block(tokens)
        return (self.neck(tokens.permute(0, 3, 1, 2) + 0.5 * cnn),)

    def _freeze(self) -> None:
        for name, parameter in self.named_parameters():
            is_new = name.startswith('cnn_') or '_adapter' in name
            parameter.requires_grad_(is_new)
        for block in self.blocks:
            if isinstance(block, ParallelBlock):
                for positions in (block.attn.rel_pos_h, block.attn.rel_pos_w):
                    positions.requires_grad_(True)


class ParallelBlock(nn.Module):
    """A block of timm's SAM, without windows, that also attends to the convolutional branch."""

    def __init__(self, block: Any, embed_dims: int, num_heads: int) -> None:
        super().__init__()
        self.norm1: nn.LayerNorm = block.norm1
        self.attn: Any = block.attn
        self.norm2: nn.LayerNorm = block.norm2
        self.mlp: nn.Module = block.mlp
        self.cross_adapter = SAMAttention(embed_dims, num_heads)
        self.mlp_adapter = _adapter(embed_dims)
        self.cnn_adapter = _convolution(embed_dims, embed_dims)

    def forward(self, tokens: Tensor, cnn: Tensor) -> tuple[Tensor, Tensor]:
        """Update tokens (B, h, w, D) and map (B, D, h, w)."""
        normed = self.norm1(tokens)
        pixels = cnn.flatten(2).transpose(1, 2)  # (B, hw, D)
        crossed = self.cross_adapter(normed.flatten(1, 2), pixels, pixels)
        normed = normed + crossed.unflatten(1, normed.shape[1:3])
        tokens = tokens + self.attn(normed)
        normed = self.norm2(tokens)
        tokens = tokens + self.mlp(normed) + 0.5 * self.mlp_adapter(normed)
        return tokens, self.cnn_adapter(cnn)


def _adapter(embed_dims: int) -> nn.Sequential:
    hidden = embed_dims // 4
    return nn.Sequential(nn.Linear(embed_dims, hidden), nn.GELU(), nn.Linear(hidden, embed_dims))


def _convolution(before: int, after: int) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
    return nn.Sequential(convolution, LayerNorm2d(after, eps=1e-6), nn.GELU())


def _halving(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.MaxPool2d(2), *_convolution(before, after))
