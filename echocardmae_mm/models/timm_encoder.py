"""Use image transformers of timm as encoders for pretraining."""

from __future__ import annotations

from typing import Any

from mmaction.models.backbones.vit_mae import get_sinusoid_encoding
from mmengine.model import BaseModule
from torch import Tensor, nn

from echocardmae_mm.models.patch_encoder import PatchEncoder
from echocardmae_mm.models.weight_conversion import inflate
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError


@MODELS.register_module()
class TimmVideoEncoder(PatchEncoder, BaseModule):
    """A plain transformer of timm, inflated over time, on the visible tokens only.

    Blocks and norms keep timm's names. The patch embedding is inflated over the frames of a
    tubelet. Positions are sinusoids over space and time, as in VideoMAE. There is no class token.

    Args:
        model_name (str): Name of a ``VisionTransformer`` for ``timm.create_model``.
        img_size (int): Height and width of the frames in pixels. Defaults to 112.
        patch_size (int): Height and width of a patch in pixels. Defaults to 16.
        num_frames (int): Frames per clip. Defaults to 16.
        tubelet_size (int): Frames per token. Defaults to 2.
        init_cfg (dict, optional): Initialisation. Defaults to None, timm's own.
        **kwargs: Arguments of ``timm.create_model``, such as ``pretrained=True`` or
            ``drop_path_rate``.

    Raises:
        UserError: If the model is not a ``VisionTransformer``.
    """

    def __init__(
        self,
        model_name: str,
        img_size: int = 112,
        patch_size: int = 16,
        num_frames: int = 16,
        tubelet_size: int = 2,
        init_cfg: dict | None = None,
        **kwargs: Any,
    ) -> None:
        import timm  # slow to import

        super().__init__(init_cfg=init_cfg)
        if not timm.models.is_model_in_modules(model_name, ['vision_transformer']):
            raise UserError(
                f'{model_name} is not a VisionTransformer of timm; use a model such as '
                'vit_small_patch16_224'
            )
        model: Any = timm.create_model(
            model_name, num_classes=0, img_size=img_size, patch_size=patch_size, **kwargs
        )
        size = (tubelet_size, patch_size, patch_size)
        image = model.patch_embed.proj.state_dict()
        self.patch_embed = nn.Conv3d(3, model.embed_dim, size, size, bias='bias' in image)
        image['weight'] = inflate(image['weight'], tubelet_size)
        self.patch_embed.load_state_dict(image)
        num_tokens = (num_frames // tubelet_size) * (img_size // patch_size) ** 2
        position = get_sinusoid_encoding(num_tokens, model.embed_dim)
        self.register_buffer('pos_embed', position, persistent=False)
        self.norm_pre = model.norm_pre
        self.blocks = model.blocks
        self.norm = model.norm

    @property
    def patch_convolution(self) -> nn.Conv3d:
        """The inflated patch embedding."""
        return self.patch_embed

    def encode(self, patches: Tensor, ids: Tensor | None = None) -> Tensor:
        """See :meth:`PatchEncoder.encode`."""
        return self.norm(self.blocks(self.norm_pre(self._embed(patches, ids))))
