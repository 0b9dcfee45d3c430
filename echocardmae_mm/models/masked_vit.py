"""The encoder: MMAction2's own video transformer, on the visible tokens only."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from echocardmae_mm.models.fused_vit import FusedVisionTransformer
from echocardmae_mm.models.patch_encoder import PatchEncoder
from echocardmae_mm.registry import MODELS


@MODELS.register_module()
class MaskedVisionTransformer(PatchEncoder, FusedVisionTransformer):
    """:class:`FusedVisionTransformer` on the visible tokens only (section 2.2).

    Parameter names match ``mmaction.VisionTransformer``, which loads the encoder of a pretraining
    checkpoint with ``init_cfg=dict(type='Pretrained', checkpoint=..., prefix='backbone.')``; only
    ``fc_norm`` is then newly initialised.

    Args:
        **kwargs: Arguments of :class:`FusedVisionTransformer`: ``img_size``, ``patch_size``,
            ``num_frames``, ``tubelet_size``, ``embed_dims``, ``depth``, ``num_heads``,
            ``attn_bias``, ...

    Example:
        >>> import torch
        >>> from echocardmae_mm.models import MaskedVisionTransformer
        >>> encoder = MaskedVisionTransformer(
        ...     img_size=32, patch_size=16, num_frames=4, embed_dims=24, depth=1, num_heads=3
        ... )
        >>> encoder(torch.zeros(1, 3, 4, 32, 32), torch.tensor([[0, 3, 5]])).shape
        torch.Size([1, 3, 24])
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(use_mean_pooling=False, **kwargs)

    @property
    def patch_convolution(self) -> nn.Conv3d:
        """The patch embedding."""
        return self.patch_embed.projection

    def encode(self, patches: Tensor, ids: Tensor | None = None) -> Tensor:
        """See :meth:`PatchEncoder.encode`."""
        tokens = self.pos_drop(self._embed(patches, ids))
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)
