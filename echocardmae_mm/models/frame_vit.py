"""The video encoder as a backbone for single images, in MMSegmentation's grammar."""

from __future__ import annotations

from typing import Any

from mmaction.models import VisionTransformer
from torch import Tensor

from echocardmae_mm.registry import MODELS


@MODELS.register_module()
class FrameVisionTransformer(VisionTransformer):
    """MMAction2's ``VisionTransformer`` on one frame, standing still for the length of a tubelet.

    Parameter names are the video encoder's, so that a pretrained checkpoint loads by
    ``init_cfg=dict(type='Pretrained', checkpoint=..., prefix='backbone.')``. The first time slot of
    its position table is taken; every other tensor fits as it is.

    Args:
        img_size (int): Side of the images in pixels; another size at run time interpolates the
            position table. Defaults to 112.
        patch_size (int): Side of a patch in pixels. Defaults to 16.
        tubelet_size (int): Frames of a token of the video encoder. Defaults to 2.
        **kwargs: As ``mmaction.VisionTransformer``: ``embed_dims``, ``depth``, ``num_heads``, ...
    """

    def __init__(
        self, img_size: int = 112, patch_size: int = 16, tubelet_size: int = 2, **kwargs: Any
    ) -> None:
        super().__init__(
            img_size=img_size,
            patch_size=patch_size,
            num_frames=tubelet_size,
            tubelet_size=tubelet_size,
            use_mean_pooling=False,
            return_feat_map=True,
            **kwargs,
        )
        self.tubelet_size = tubelet_size
        self._register_load_state_dict_pre_hook(self._take_first_slot)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Features of each patch.

        Args:
            images (Tensor): Normalised images of shape (B, 3, H, W).

        Returns:
            tuple[Tensor]: One map of shape (B, C, H / patch, W / patch), as MMSegmentation expects.
        """
        clips = images.unsqueeze(2).expand(-1, -1, self.tubelet_size, -1, -1)
        return (super().forward(clips).squeeze(2),)

    def _take_first_slot(self, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
        name = f'{prefix}pos_embed'
        if name in state_dict:
            state_dict[name] = state_dict[name][:, : self.pos_embed.shape[1]]
