"""The decoder, which predicts masked patches from latents, mask tokens and background tokens."""

from __future__ import annotations

import torch
from mmaction.models.backbones.vit_mae import get_sinusoid_encoding
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from echocardmae_mm.models.fused_attention import KeyMaskedBlock, fuse_attention
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError

BACKGROUNDS = ('positional', 'single')

#: Initialisation of the decoder in VideoMAE and in the released code.
DECODER_INIT = [
    dict(type='Xavier', layer='Linear', distribution='uniform', bias=0.0),
    dict(type='Constant', layer='LayerNorm', val=1.0, bias=0.0),
]


@MODELS.register_module()
class BackgroundTokenDecoder(BaseModule):
    """Predict masked sector patches from visible ones (sections 2.1 and 2.2, Fig. 1).

    The mask token is initialised as in VideoMAE (truncated normal, 0.02), the background token with
    zeros, as in the released code.

    Args:
        in_channels (int): Width of the encoder's latents. Defaults to 384.
        embed_dims (int): Width of the decoder. Defaults to 192.
        depth (int): Number of blocks. Defaults to 4.
        num_heads (int): Attention heads. Defaults to 3.
        mlp_ratio (float): MLP hidden width divided by token width. Defaults to 4.
        img_size (int): Height and width of the frames in pixels. Defaults to 112.
        patch_size (int): Height and width of a patch in pixels. Defaults to 16.
        num_frames (int): Frames per clip. Defaults to 16.
        tubelet_size (int): Frames per patch. Defaults to 2.
        out_channels (int, optional): Width of a prediction. Defaults to None, the values of a
            patch.
        background (str): 'positional' adds the background token once per token outside the sector,
            with its position embedding (the paper; released code since 37bf429); 'single' adds it
            once, without a position (released code v0.1.0). Defaults to 'positional'.
        attn_bias (bool): See :class:`FusedVisionTransformer`. Defaults to True.
        with_cp (bool): Whether to use gradient checkpointing, which saves memory but takes longer.
            Defaults to False.
        init_cfg (dict | list[dict], optional): Initialisation. Defaults to ``DECODER_INIT``.

    Raises:
        UserError: If ``background`` is unknown.

    Example:
        >>> import torch
        >>> from echocardmae_mm.models import BackgroundTokenDecoder
        >>> decoder = BackgroundTokenDecoder(img_size=32, num_frames=2)  # 4 tokens
        >>> visible, masked, background = (torch.tensor([ids]) for ids in ([0], [2, 3], [1]))
        >>> decoder(torch.zeros(1, 1, 384), visible, masked, background).shape
        torch.Size([1, 2, 1536])
    """

    def __init__(
        self,
        in_channels: int = 384,
        embed_dims: int = 192,
        depth: int = 4,
        num_heads: int = 3,
        mlp_ratio: float = 4.0,
        img_size: int = 112,
        patch_size: int = 16,
        num_frames: int = 16,
        tubelet_size: int = 2,
        out_channels: int | None = None,
        background: str = 'positional',
        attn_bias: bool = True,
        with_cp: bool = False,
        init_cfg: dict | list[dict] | None = DECODER_INIT,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        if background not in BACKGROUNDS:
            raise UserError(
                f"background={background!r} is unknown; choose 'positional' (the paper) or 'single'"
            )
        self.background = background
        self.with_cp = with_cp

        self.encoder_to_decoder = nn.Linear(in_channels, embed_dims, bias=False)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, embed_dims))
        self.background_token = nn.Parameter(torch.zeros(1, 1, embed_dims))
        nn.init.trunc_normal_(self.mask_token, std=0.02)
        num_tokens = (num_frames // tubelet_size) * (img_size // patch_size) ** 2
        position = get_sinusoid_encoding(num_tokens, embed_dims)
        self.register_buffer('pos_embed', position, persistent=False)

        self.blocks = ModuleList(
            KeyMaskedBlock(embed_dims, num_heads, mlp_ratio) for _ in range(depth)
        )
        fuse_attention(self.blocks, attn_bias)
        self.norm = nn.LayerNorm(embed_dims, eps=1e-6)
        self.head = nn.Linear(embed_dims, out_channels or tubelet_size * patch_size**2 * 3)

    def forward(
        self,
        latent: Tensor,
        visible: Tensor,
        masked: Tensor,
        background: Tensor,
        valid: Tensor | None = None,
    ) -> Tensor:
        """Predict the patches of the masked tokens.

        Args:
            latent (Tensor): Latents of the visible tokens, (B, Nv, in_channels).
            visible (Tensor): Their indices, int64 of shape (B, Nv).
            masked (Tensor): Indices of the tokens to predict, int64 of shape (B, Nm).
            background (Tensor): Indices of the tokens outside the sector, int64 of shape (B, Nb).
            valid (Tensor, optional): bool of shape (B, Nm), false where ``masked`` is padded with a
                background token. The decoder treats that token as background or, with
                ``background='single'``, ignores it; its prediction is meaningless. Defaults to
                None, all are valid.

        Returns:
            Tensor: Normalised pixels, (B, Nm, tubelet_size * patch_size ** 2 * 3), in the layout of
            :func:`patchify`; or (B, Nm, out_channels).
        """
        position = self.pos_embed[0]  # (N, C)
        hidden: Tensor = self.mask_token
        if valid is not None:
            hidden = torch.where(valid[..., None], hidden, self.background_token)  # (B, Nm, C)
        if self.background == 'positional':
            context = self.background_token + position[background]  # (B, Nb, C)
        else:
            context = self.background_token.expand(len(latent), -1, -1)  # (B, 1, C)
        tokens = torch.cat(
            (
                self.encoder_to_decoder(latent) + position[visible],
                hidden + position[masked],
                context,
            ),
            dim=1,
        )

        key_mask = self._key_mask(latent, context, valid)
        for block in self.blocks:
            if self.with_cp and tokens.requires_grad:
                tokens = checkpoint(block, tokens, key_mask, use_reentrant=False)
            else:
                tokens = block(tokens, key_mask)
        predicted = tokens[:, latent.shape[1] : latent.shape[1] + masked.shape[1]]
        return self.head(self.norm(predicted))

    def _key_mask(self, latent: Tensor, context: Tensor, valid: Tensor | None) -> Tensor | None:
        if valid is None or self.background == 'positional':
            return None
        always = [valid.new_ones(x.shape[:2]) for x in (latent, context)]
        return torch.cat((always[0], valid, always[1]), dim=1)
