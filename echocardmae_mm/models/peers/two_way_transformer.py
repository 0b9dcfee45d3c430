"""The transformer of SAM's mask decoder, between prompts and image."""

from __future__ import annotations

from torch import Tensor, nn

from echocardmae_mm.models.peers.sam_attention import SAMAttention


class TwoWayTransformer(nn.Module):
    """Tokens attend to themselves and to the image, and the image attends to the tokens.

    Names and layers are those of SAM (facebookresearch/segment-anything, Apache-2.0).

    Args:
        embed_dims (int): Width C of tokens and image.
        depth (int): Number of blocks.
        num_heads (int): Attention heads.
        mlp_dims (int): Hidden width of the MLP.
    """

    def __init__(self, embed_dims: int, depth: int, num_heads: int, mlp_dims: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            TwoWayBlock(embed_dims, num_heads, mlp_dims, is_first=index == 0)
            for index in range(depth)
        )
        self.final_attn_token_to_image = SAMAttention(embed_dims, num_heads, 2)
        self.norm_final_attn = nn.LayerNorm(embed_dims)

    def forward(self, tokens: Tensor, image: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Update both.

        Args:
            tokens (Tensor): (B, N, C); they are their own positions.
            image (Tensor): (B, M, C).
            positions (Tensor): Of the image, (1, M, C).

        Returns:
            tuple[Tensor, Tensor]: Tokens and image, of the same shapes.
        """
        queries = tokens
        for layer in self.layers:
            queries, image = layer(queries, image, tokens, positions)
        attended = self.final_attn_token_to_image(queries + tokens, image + positions, image)
        return self.norm_final_attn(queries + attended), image


class TwoWayBlock(nn.Module):
    """One block of :class:`TwoWayTransformer`.

    In the first, self-attention replaces the tokens and ignores their positions.
    """

    def __init__(self, embed_dims: int, num_heads: int, mlp_dims: int, is_first: bool) -> None:
        super().__init__()
        self.is_first = is_first
        self.self_attn = SAMAttention(embed_dims, num_heads)
        self.norm1 = nn.LayerNorm(embed_dims)
        self.cross_attn_token_to_image = SAMAttention(embed_dims, num_heads, 2)
        self.norm2 = nn.LayerNorm(embed_dims)
        self.mlp = nn.Sequential(
            nn.Linear(embed_dims, mlp_dims), nn.ReLU(inplace=True), nn.Linear(mlp_dims, embed_dims)
        )
        self.norm3 = nn.LayerNorm(embed_dims)
        self.norm4 = nn.LayerNorm(embed_dims)
        self.cross_attn_image_to_token = SAMAttention(embed_dims, num_heads, 2)

    def forward(
        self, queries: Tensor, image: Tensor, tokens: Tensor, positions: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Update queries and image; see :class:`TwoWayTransformer`."""
        if self.is_first:
            queries = self.self_attn(queries, queries, queries)
        else:
            placed = queries + tokens
            queries = queries + self.self_attn(placed, placed, queries)
        queries = self.norm1(queries)
        attended = self.cross_attn_token_to_image(queries + tokens, image + positions, image)
        queries = self.norm2(queries + attended)
        queries = self.norm3(queries + self.mlp(queries))
        attended = self.cross_attn_image_to_token(image + positions, queries + tokens, queries)
        return queries, self.norm4(image + attended)
