"""Attention between two sequences, as in SAM's mask decoder."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class SAMAttention(nn.Module):
    """Multi-head attention whose heads may be narrower than the tokens.

    The names are those of SAM (facebookresearch/segment-anything, Apache-2.0).

    Args:
        embed_dims (int): Width C of the tokens.
        num_heads (int): Attention heads.
        downsample_rate (int): Ratio of C to the width of all heads. Defaults to 1.
    """

    def __init__(self, embed_dims: int, num_heads: int, downsample_rate: int = 1) -> None:
        super().__init__()
        self.num_heads = num_heads
        width = embed_dims // downsample_rate
        self.q_proj = nn.Linear(embed_dims, width)
        self.k_proj = nn.Linear(embed_dims, width)
        self.v_proj = nn.Linear(embed_dims, width)
        self.out_proj = nn.Linear(width, embed_dims)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attend from N queries to M keys.

        Args:
            query (Tensor): (B, N, C).
            key (Tensor): (B, M, C).
            value (Tensor): (B, M, C).

        Returns:
            Tensor: (B, N, C).
        """
        heads = (
            layer(tokens).unflatten(2, (self.num_heads, -1)).transpose(1, 2)
            for layer, tokens in ((self.q_proj, query), (self.k_proj, key), (self.v_proj, value))
        )  # (B, heads, N or M, C / heads) each
        attended = F.scaled_dot_product_attention(*heads)
        return self.out_proj(attended.transpose(1, 2).flatten(2))
