"""Torchvision's head of DeepLabV3, as EchoNet uses it, for MMSegmentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn
from torchvision.models.segmentation.deeplabv3 import DeepLabHead

from echocardmae_mm.registry import MODELS


@MODELS.register_module()
class DeepLabV3Head(BaseDecodeHead):
    """Atrous spatial pyramid pooling, a 3 x 3 and a 1 x 1 convolution; torchvision (BSD-3-Clause).

    MMSegmentation's ``ASPPHead`` has a 3 x 3 convolution after the pyramid, where torchvision has
    a 1 x 1 convolution, a dropout of 0.5 and another 3 x 3 convolution.

    Args:
        in_channels (int): Channels of the backbone's last map. Defaults to 2048, ResNet-50.
        dilations (Sequence[int]): Dilations of the pyramid. Defaults to (12, 24, 36).
        **kwargs (Any): Further arguments of MMSegmentation's ``BaseDecodeHead``, such as
            ``num_classes``, ``out_channels`` and ``loss_decode``.
    """

    def __init__(
        self,
        in_channels: int = 2048,
        dilations: Sequence[int] = (12, 24, 36),
        **kwargs: Any,
    ) -> None:
        # torchvision's initial weights and dropout, not MMSegmentation's.
        kwargs = dict(dropout_ratio=0.0, init_cfg=None) | kwargs
        super().__init__(in_channels=in_channels, channels=256, **kwargs)
        self.features = nn.Sequential(*list(DeepLabHead(in_channels, 1, dilations))[:-1])

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Compute logits.

        Args:
            inputs (Sequence[Tensor]): Maps of the backbone, (B, C, h, w) each.

        Returns:
            Tensor: (B, out_channels, h, w).
        """
        return self.cls_seg(self.features(inputs[self.in_index]))
