"""MMAction2's attention with torch's fused kernels and unchanged parameters."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from mmaction.models.backbones.vit_mae import Attention, Block
from mmcv.cnn.bricks.transformer import FFN
from torch import Tensor

from echocardmae_mm.utils.errors import UserError


class FusedAttention(Attention):
    """MMAction2's ViT attention, computed with ``scaled_dot_product_attention``."""

    def forward(self, x: Tensor, key_mask: Tensor | None = None) -> Tensor:
        """Compute self-attention.

        Args:
            x (Tensor): (B, N, C).
            key_mask (Tensor, optional): bool of shape (B, N), false for tokens to ignore as keys.
                Defaults to None, no token is ignored.

        Returns:
            Tensor: (B, N, C).
        """
        qkv = F.linear(x, self.qkv.weight, self._qkv_bias())
        q, k, v = qkv.unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        mask = None if key_mask is None else key_mask[:, None, None, :]
        # On CPUs, torch's fused kernel takes up to three times as long in bfloat16.
        explicitly = q.device.type == 'cpu' and q.dtype == torch.bfloat16
        attend = self._attend_explicitly if explicitly else self._attend
        x = attend(q, k, v, mask).transpose(1, 2).flatten(2)
        return self.proj_drop(self.proj(x))

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        dropout = self.attn_drop.p if self.training else 0.0
        return F.scaled_dot_product_attention(q, k, v, mask, dropout, scale=self.scale)

    def _attend_explicitly(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        weights = q * self.scale @ k.transpose(-2, -1)
        if mask is not None:
            weights = weights.masked_fill(~mask, float('-inf'))
        return self.attn_drop(weights.softmax(dim=-1)) @ v

    def _qkv_bias(self) -> Tensor | None:
        if not hasattr(self, 'q_bias'):
            return None
        return torch.cat((self.q_bias, torch.zeros_like(self.v_bias), self.v_bias))


class TraceableFFN(FFN):
    """MMCV's MLP without its check for deprecated arguments, which torch 2.4 cannot compile."""

    forward = inspect.unwrap(FFN.forward)


class KeyMaskedBlock(Block):
    """MMAction2's transformer block with a key mask."""

    def forward(self, x: Tensor, key_mask: Tensor | None = None) -> Tensor:
        """Apply attention and MLP with residual connections.

        Args:
            x (Tensor): (B, N, C).
            key_mask (Tensor, optional): See :meth:`FusedAttention.forward`. Defaults to None.

        Returns:
            Tensor: (B, N, C).
        """
        x = x + self.attn(self.norm1(x), key_mask)
        return x + self.mlp(self.norm2(x))


def fuse_attention(blocks: Iterable[Block], attn_bias: bool) -> None:
    """Replace attention and MLP of blocks with compilable versions; keep the parameters.

    Args:
        blocks (Iterable[Block]): MMAction2's blocks, changed in place.
        attn_bias (bool): False freezes the biases of queries and values at zero, because the
            released EchoCardMAE code never applies them.

    Raises:
        UserError: If the width of a token is not divisible by the number of heads.
    """
    for block in blocks:
        (width,), heads = block.norm1.normalized_shape, block.attn.num_heads
        if width % heads:
            raise UserError(f'embed_dims={width} is not divisible by num_heads={heads}')
        block.attn.__class__ = FusedAttention
        block.mlp.__class__ = TraceableFFN
        if not attn_bias:
            block.attn.q_bias.requires_grad_(False)
            block.attn.v_bias.requires_grad_(False)
