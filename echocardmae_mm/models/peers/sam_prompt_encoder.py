"""SAM's prompt encoder, for clicks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class SAMPromptEncoder(nn.Module):
    """Encode clicks as tokens.

    Names and layers are those of SAM (facebookresearch/segment-anything, Apache-2.0), without those
    for boxes and masks.

    Args:
        embed_dims (int): Width C of a token.
        grid_size (int): Height and width of the image embedding.
        img_size (int): Height and width of the image in pixels.
    """

    frequencies: Tensor

    def __init__(self, embed_dims: int, grid_size: int, img_size: int) -> None:
        super().__init__()
        self.grid_size = grid_size
        self.img_size = img_size
        self.register_buffer('frequencies', torch.randn(2, embed_dims // 2))
        #: Of clicks on the background and on the structure.
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, embed_dims) for _ in range(2))
        self.not_a_point_embed = nn.Embedding(1, embed_dims)
        self.no_mask_embed = nn.Embedding(1, embed_dims)

    def forward(self, clicks: Tensor, labels: Tensor) -> Tensor:
        """Encode clicks.

        Args:
            clicks (Tensor): x and y in pixels, whole at the pixels' centres; (B, N, 2).
            labels (Tensor): 1 for a click on the structure, 0 for one beside it; (B, N).

        Returns:
            Tensor: (B, N + 1, C); SAM pads clicks with a token that means "not a point".
        """
        kinds = torch.cat([*self.point_embeddings.parameters()])  # (2, C)
        tokens = self._encode((clicks + 0.5) / self.img_size) + kinds[labels]
        padding = self.not_a_point_embed.weight.expand(len(tokens), 1, -1)
        return torch.cat([tokens, padding], dim=1)

    def positions(self) -> Tensor:
        """Encode the positions of the image embedding, (1, C, h, w)."""
        places = torch.arange(self.grid_size).to(self.frequencies) + 0.5
        y, x = torch.meshgrid(places, places, indexing='ij')
        return self._encode(torch.stack([x, y], dim=-1) / self.grid_size).permute(2, 0, 1)[None]

    def no_mask(self) -> Tensor:
        """Dense prompt of an image without a mask, (1, C, 1, 1)."""
        return self.no_mask_embed.weight[:, :, None, None]

    def _encode(self, places: Tensor) -> Tensor:
        """Places in [0, 1], (..., 2) -> (..., C)."""
        x, y = (2 * places - 1).split(1, dim=-1)
        # A matrix product would run in bfloat16 with AMP, which is too coarse for angles.
        angles = 2 * math.pi * (x * self.frequencies[0] + y * self.frequencies[1])
        return torch.cat([angles.sin(), angles.cos()], dim=-1)
