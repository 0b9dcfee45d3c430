"""Segmentation of images from clicks, as SAMUS does."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.structures import PixelData
from torch import Tensor, nn

from echocardmae_mm.models.peers.binary_overlap_loss import binary_overlap_losses
from echocardmae_mm.models.peers.sam_prompt_encoder import SAMPromptEncoder
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.errors import UserError


@MODELS.register_module()
class PromptedSegmentor(BaseModel):
    """SAMUS: a mask of each structure, from one click in it or without any.

    Follows xianlin7/SAMUS (MIT). The encoder runs once an image, the decoder once a structure.
    Where masks overlap, the larger logit wins. The clicks are those of :class:`ClickInMask`, so
    they **come from the true mask**; ``clicks=False`` needs no truth. Without clicks, a learned
    token tells several structures apart; a single one has no prompt.

    Args:
        backbone (dict): :class:`SAMUSEncoder`.
        decode_head (dict): :class:`SAMMaskDecoder`.
        data_preprocessor (dict): MMSegmentation's ``SegDataPreProcessor``.
        num_classes (int): Classes, including the background. Defaults to 2.
        clicks (bool): Whether each structure is prompted by a click. Defaults to True.
        frozen (bool): Whether to keep SAM's prompt encoder and mask decoder as loaded, as SAMUS
            does. Defaults to False.
        train_cfg (dict, optional): Ignored; MMSegmentation's configs set it. Defaults to None.
        test_cfg (dict, optional): Ignored, like ``train_cfg``. Defaults to None.
        init_cfg (dict, optional): Initialisation. Defaults to None.
    """

    ignore_index = 255

    def __init__(
        self,
        backbone: dict,
        decode_head: dict,
        data_preprocessor: dict,
        num_classes: int = 2,
        clicks: bool = True,
        frozen: bool = False,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.backbone = MMENGINE_MODELS.build(backbone)
        self.decode_head = MMENGINE_MODELS.build(decode_head)
        self.img_size = self.backbone.img_size
        width = self.decode_head.embed_dims
        self.prompt_encoder = SAMPromptEncoder(width, self.backbone.grid_size, self.img_size)
        if frozen:
            self.decode_head.requires_grad_(False)
            self.prompt_encoder.requires_grad_(False)
        if not clicks:  # Otherwise several GPUs would wait for gradients.
            for unused in (
                self.prompt_encoder.point_embeddings,
                self.prompt_encoder.not_a_point_embed,
            ):
                unused.requires_grad_(False)
        self.clicks = clicks
        self.num_structures = num_classes - 1
        if not clicks and self.num_structures > 1:
            self.structure_tokens = nn.Parameter(torch.randn(self.num_structures, 1, width))

    def forward(
        self, inputs: Tensor, data_samples: list[Any] | None = None, mode: str = 'tensor'
    ) -> Any:
        """Compute losses, predictions or logits.

        Args:
            inputs (Tensor): Images, (B, 3, S, S).
            data_samples (list[SegDataSample], optional): With ``clicks`` and ``click_labels``,
                unless the model needs none; losses need ``gt_sem_seg``, predictions ``ori_shape``.
                Defaults to None.
            mode (str): 'loss', 'predict' or 'tensor'. Defaults to 'tensor'.

        Returns:
            dict[str, Tensor] | list[SegDataSample] | Tensor: The losses by name; or the samples
            with ``pred_sem_seg`` of shape (T, *ori_shape), where T is 1 for an image; or logits
            (B, K, h, w) of images or (B, K, T, h, w) of clips, 0 for the background.

        Raises:
            UserError: If a click is missing or lies outside the image.
        """
        samples = data_samples or []
        logits = self._logits(inputs, samples)
        if mode == 'loss':
            labels = torch.stack([sample.gt_sem_seg.data for sample in samples])  # (B, T, H, W)
            # SAMUS compares masks at the size of the logits.
            labels = F.interpolate(labels.float(), logits.shape[3:], mode='nearest-exact').long()
            losses = binary_overlap_losses(logits, labels, self.ignore_index)
            return {f'decode.{name}': value for name, value in losses.items()}
        if mode == 'tensor' or data_samples is None:
            logits = F.pad(logits, (0, 0, 0, 0, 0, 0, 1, 0))
            return logits.squeeze(2) if inputs.ndim == 4 else logits
        for sample, its_logits in zip(samples, logits):
            frames = F.interpolate(
                its_logits.transpose(0, 1),
                size=sample.ori_shape,
                mode='bilinear',
                align_corners=False,
            )  # (T, K - 1, H, W)
            largest, structures = frames.max(dim=1)
            sample.pred_sem_seg = PixelData(data=torch.where(largest > 0, structures + 1, 0))
        return samples

    def _logits(self, inputs: Tensor, samples: list[Any]) -> Tensor:
        """A map for each structure: (B, 3, S, S) -> (B, K - 1, 1, h, w)."""
        embeddings = self.backbone(inputs)[-1].repeat_interleave(self.num_structures, dim=0)
        sparse = self._prompt(samples, embeddings)
        masks = self._decode(embeddings, sparse, self.prompt_encoder.no_mask())
        return masks.unflatten(0, (-1, self.num_structures))

    def _decode(self, embeddings: Tensor, sparse: Tensor, dense: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, 1, 4 h, 4 w)."""
        masks: Tensor = self.decode_head(embeddings, self.prompt_encoder.positions(), sparse, dense)
        return masks

    def _prompt(self, samples: list[Any], embeddings: Tensor) -> Tensor:
        """Prompt tokens of each structure of each image, (B (K - 1), N, C)."""
        if self.clicks:
            if len(samples) * self.num_structures != len(embeddings):
                raise UserError(
                    f'{type(self).__name__}: needs a click in each structure of each image; use a '
                    'config without clicks for images without labels'
                )
            clicks, labels = zip(*(self._clicks_of(sample) for sample in samples))
            prompt = (torch.from_numpy(np.concatenate(part)[:, None]) for part in (clicks, labels))
            tokens: Tensor = self.prompt_encoder(*(part.to(embeddings.device) for part in prompt))
            return tokens
        if self.num_structures > 1:
            return self.structure_tokens.repeat(len(embeddings) // self.num_structures, 1, 1)
        return embeddings.new_zeros(len(embeddings), 0, embeddings.shape[1])

    def _clicks_of(self, sample: Any) -> tuple[np.ndarray, np.ndarray]:
        """Clicks (K - 1, 2) and labels (K - 1,)."""
        if 'clicks' not in sample:
            raise UserError(
                f'{type(self).__name__}: {sample.get("img_path", "the image")} has no click; add '
                'ClickInMask to the pipeline, or set model.clicks=False'
            )
        clicks = np.asarray(sample.get('clicks'), np.float32).reshape(-1, 2)
        labels = np.asarray(sample.get('click_labels'), np.int64).reshape(-1)
        if len(clicks) != self.num_structures:
            raise UserError(
                f'{type(self).__name__}: {len(clicks)} clicks for {self.num_structures} '
                'structures; pass one for each'
            )
        is_inside = (clicks >= -0.5) & (clicks <= self.img_size - 0.5)
        for x, y in clicks[~is_inside.all(axis=1)]:
            raise UserError(
                f'{type(self).__name__}: the click at x={x:g}, y={y:g} lies outside the image of '
                f'{self.img_size} x {self.img_size} pixels'
            )
        return clicks, labels
