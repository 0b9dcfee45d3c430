"""Segmentation of whole clips, with temporal context for each frame."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from mmengine.model import BaseModel
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.structures import PixelData
from torch import Tensor

from echocardmae_mm.registry import MODELS


@MODELS.register_module()
class ClipSegmentor(BaseModel):
    """MMSegmentation's ``EncoderDecoder`` for clips.

    Encoder and head process all frames of a clip. The losses use labelled frames only, so labels at
    end-diastole and end-systole suffice.

    Args:
        backbone (dict): The encoder, with outputs of shape (B, C, t, h, w):
            :class:`FusedVisionTransformer` with ``return_feat_map=True``.
        decode_head (dict): :class:`MAESegHead` with the encoder's ``num_frames`` and
            ``tubelet_size``.
        data_preprocessor (dict): ``mmaction.ActionDataPreprocessor`` with ``format_shape='NCTHW'``.
        train_cfg (dict, optional): Ignored; MMSegmentation's configs set it. Defaults to None.
        test_cfg (dict, optional): Ignored, like ``train_cfg``. Defaults to None.
        init_cfg (dict, optional): Initialisation. Defaults to None.
    """

    def __init__(
        self,
        backbone: dict,
        decode_head: dict,
        data_preprocessor: dict,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.backbone = MMENGINE_MODELS.build(backbone)
        self.decode_head = MMENGINE_MODELS.build(decode_head)

    def forward(
        self, inputs: Tensor, data_samples: list[Any] | None = None, mode: str = 'tensor'
    ) -> Any:
        """Compute losses, predictions or logits.

        Args:
            inputs (Tensor): Normalised clips, (B, 1, 3, T, H, W).
            data_samples (list[SegDataSample], optional): Losses need ``gt_sem_seg`` of shape
                (T, H, W), predictions need ``ori_shape``. Defaults to None.
            mode (str): 'loss', 'predict' or 'tensor'. Defaults to 'tensor'.

        Returns:
            dict[str, Tensor] | list[SegDataSample] | Tensor: The losses by name; or the samples
            with ``pred_sem_seg`` of shape (T, *ori_shape); or logits (B, K, T, H, W).
        """
        features = self.backbone(inputs.flatten(0, 1))
        if mode == 'loss':
            losses = self.decode_head.loss(features, data_samples, {})
            return {f'decode.{name}': value for name, value in losses.items()}
        logits = self.decode_head(features)
        if mode == 'tensor' or data_samples is None:
            return logits
        for sample, its_logits in zip(data_samples, logits):
            # Like MMSegmentation, resize the logits before the argmax.
            frames = F.interpolate(
                its_logits.transpose(0, 1),
                size=sample.ori_shape,
                mode='bilinear',
                align_corners=False,
            )
            sample.pred_sem_seg = PixelData(data=frames.max(1).indices)
        return data_samples
