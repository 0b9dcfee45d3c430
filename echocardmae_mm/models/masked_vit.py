"""The encoder: MMAction2's own video transformer, on the visible tokens only."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from echocardmae_mm.registry import MODELS

from .fused_vit import FusedVisionTransformer
from .patches import embed_patches, patchify, require_tokens, take_patches


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
        tubelet_size, patch_size, _ = self.patch_embed.projection.kernel_size
        require_tokens(clips, self.pos_embed.shape[1], patch_size, tubelet_size)
        if visible is None:
            return self.encode(patchify(clips, patch_size, tubelet_size))
        return self.encode(take_patches(clips, visible, patch_size, tubelet_size), visible)

    def encode(self, patches: Tensor, places: Tensor | None = None) -> Tensor:
        """Latents of some patches: the others take no part, not even in the patch embedding.

        Args:
            patches (Tensor): Normalised patches, (B, K, D), laid out (p_t, p_h, p_w, channel).
            places (Tensor, optional): Their places in the clip, int64 of shape (B, K). Defaults to
                None, they are all of the clip's, in order.

        Returns:
            Tensor: (B, K, embed_dims).
        """
        position = self.pos_embed if places is None else self.pos_embed[0, places]
        tokens = embed_patches(patches, self.patch_embed.projection) + position
        tokens = self.pos_drop(tokens)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)
