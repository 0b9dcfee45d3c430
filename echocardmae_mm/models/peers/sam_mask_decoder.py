"""SAM's mask decoder."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torchvision.models.convnext import LayerNorm2d

from echocardmae_mm.models.peers.two_way_transformer import TwoWayTransformer
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError

_MASKS = 4


@MODELS.register_module()
class SAMMaskDecoder(BaseModule):
    """Decode one mask from an image embedding and its prompts.

    The layers are those of SAM (Kirillov et al., "Segment Anything", ICCV 2023;
    facebookresearch/segment-anything, Apache-2.0) with ``multimask_output=False``. The tokens of
    all four masks and of their quality take part in the attention. The layers that compute the
    other three masks and the quality are left out. As in SAMUS, a batch holds one prompt an image.

    Args:
        embed_dims (int): Width C of the embedding, a multiple of 8. Defaults to 256.
        depth (int): Blocks of the transformer. Defaults to 2.
        num_heads (int): Attention heads. Defaults to 8.
        mlp_dims (int): Hidden width of the transformer's MLP. Defaults to 2048.
        init_cfg (dict, optional): Initialisation. Defaults to None, torch's.
    """

    def __init__(
        self,
        embed_dims: int = 256,
        depth: int = 2,
        num_heads: int = 8,
        mlp_dims: int = 2048,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if embed_dims % (2 * num_heads) or embed_dims % 8:
            raise UserError(
                f'SAMMaskDecoder: embed_dims={embed_dims} must be a multiple of 8 and of twice '
                f'num_heads={num_heads}'
            )
        self.embed_dims = embed_dims
        self.transformer = TwoWayTransformer(embed_dims, depth, num_heads, mlp_dims)
        self.iou_token = nn.Embedding(1, embed_dims)
        self.mask_tokens = nn.Embedding(_MASKS, embed_dims)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(embed_dims, embed_dims // 4, 2, stride=2),
            LayerNorm2d(embed_dims // 4, eps=1e-6),
            nn.GELU(),
            nn.ConvTranspose2d(embed_dims // 4, embed_dims // 8, 2, stride=2),
            nn.GELU(),
        )
        self.mask_mlp = nn.Sequential(
            nn.Linear(embed_dims, embed_dims),
            nn.ReLU(inplace=True),
            nn.Linear(embed_dims, embed_dims),
            nn.ReLU(inplace=True),
            nn.Linear(embed_dims, embed_dims // 8),
        )

    def forward(
        self, embedding: Tensor, positions: Tensor, sparse: Tensor, dense: Tensor
    ) -> Tensor:
        """Compute the logits of a mask.

        Args:
            embedding (Tensor): (B, C, h, w).
            positions (Tensor): Of the embedding, (1, C, h, w).
            sparse (Tensor): Prompt tokens, (B, N, C); N may be 0.
            dense (Tensor): Dense prompt, added to the embedding; (B or 1, C, h or 1, w or 1).

        Returns:
            Tensor: (B, 1, 4 h, 4 w).
        """
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        tokens = torch.cat([own.expand(len(sparse), -1, -1), sparse], dim=1)  # (B, 5 + N, C)
        image = (embedding + dense).flatten(2).transpose(1, 2)  # (B, hw, C)
        tokens, image = self.transformer(tokens, image, positions.flatten(2).transpose(1, 2))
        image = image.transpose(1, 2).unflatten(2, embedding.shape[2:])
        pixels = self.output_upscaling(image)  # (B, C / 8, 4 h, 4 w)
        kernel = self.mask_mlp(tokens[:, 1])  # (B, C / 8), the first mask
        return (kernel[:, :, None, None] * pixels).sum(dim=1, keepdim=True)
