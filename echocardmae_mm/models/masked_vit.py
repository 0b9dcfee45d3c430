"""The encoder: MMAction2's own video transformer, on the visible tokens only."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from echocardmae_mm.errors import EchoError
from echocardmae_mm.registry import MODELS

from .fused_vit import FusedVisionTransformer
from .patches import embed_patches, patchify, take_patches


@MODELS.register_module()
class MaskedVisionTransformer(FusedVisionTransformer):
    """:class:`FusedVisionTransformer` that looks at the visible tokens only (section 2.2).

    It adds no parameter and renames none: ``mmaction.VisionTransformer`` loads the encoder of a
    pretraining checkpoint by ``init_cfg=dict(type='Pretrained', checkpoint=...,
    prefix='backbone.')`` and starts with nothing fresh but ``fc_norm``.

    Args:
        **kwargs: Of :class:`FusedVisionTransformer`: ``img_size``, ``patch_size``, ``num_frames``,
            ``tubelet_size``, ``embed_dims``, ``depth``, ``num_heads``, ``attn_bias``, ...
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(use_mean_pooling=False, **kwargs)

    def forward(self, clips: Tensor, visible: Tensor | None = None) -> Tensor:
        """Latents of the visible tokens.

        Args:
            clips (Tensor): Normalised clips, (B, C, T, H, W), of the size the model is made for.
            visible (Tensor, optional): Tokens to look at, int64 of shape (B, Nv). Defaults to
                None, all tokens in order.

        Returns:
            Tensor: (B, Nv, embed_dims), or (B, N, embed_dims) without ``visible``.

        Raises:
            EchoError: If the clips have another number of tokens than the model.
        """
        convolution = self.patch_embed.projection
        tubelet_size, patch_size, _ = convolution.kernel_size
        num_tokens = clips[0, 0].numel() // (tubelet_size * patch_size**2)
        if num_tokens != self.pos_embed.shape[1]:
            raise EchoError(
                f'clips of {tuple(clips.shape[2:])} (frames, height, width) have {num_tokens} '
                f'tokens, the encoder is made for {self.pos_embed.shape[1]}: let num_frames and '
                'img_size of the model agree with the pipeline'
            )
        if visible is None:
            patches = patchify(clips, patch_size, tubelet_size)
            position = self.pos_embed
        else:
            patches = take_patches(clips, visible, patch_size, tubelet_size)
            position = self.pos_embed[0, visible]
        tokens = self.pos_drop(embed_patches(patches, convolution) + position)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)
