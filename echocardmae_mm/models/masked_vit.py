"""The encoder: MMAction2's own video transformer, on the visible tokens only."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from echocardmae_mm.models.fused_vit import FusedVisionTransformer
from echocardmae_mm.models.patch_encoder import PatchEncoder
from echocardmae_mm.registry import MODELS


@MODELS.register_module()
class MaskedVisionTransformer(PatchEncoder, FusedVisionTransformer):
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

    @property
    def patch_convolution(self) -> nn.Conv3d:
        """The patch embedding of the host's class."""
        return self.patch_embed.projection

    def encode(self, patches: Tensor, ids: Tensor | None = None) -> Tensor:
        """As :meth:`PatchEncoder.encode`.

        Args:
            patches (Tensor): Normalised patches, (B, K, D).
            ids (Tensor, optional): Their indices, int64 of shape (B, K). Defaults to None.

        Returns:
            Tensor: (B, K, embed_dims).
        """
        tokens = self.pos_drop(self._embed(patches, ids))
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)
